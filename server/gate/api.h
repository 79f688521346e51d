/* The API's routes; see route.c for what each needs. */
#pragma once

#include "request.h"

/* api.c: being signed in */
enum MHD_Result api_health(struct request *request);
enum MHD_Result api_login(struct request *request);
enum MHD_Result api_login_told(struct request *request);
enum MHD_Result api_logout(struct request *request);
enum MHD_Result api_signed_out(struct request *request);
enum MHD_Result api_session(struct request *request);
enum MHD_Result api_session_told(struct request *request);
enum MHD_Result api_challenge(struct request *request);
enum MHD_Result api_challenge_told(struct request *request);

/* api_desktop.c: desktops and the ways to them */
enum MHD_Result api_desktops(struct request *request);
enum MHD_Result api_desktops_told(struct request *request);
enum MHD_Result api_tunnel(struct request *request);
enum MHD_Result api_tunnel_told(struct request *request);
