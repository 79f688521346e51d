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

/* api_metrics.c: for Prometheus */
enum MHD_Result api_metrics(struct request *request);
enum MHD_Result api_metrics_told(struct request *request);

/* api_account.c: passwords, devices, sessions */
enum MHD_Result api_password(struct request *request);
enum MHD_Result api_totp(struct request *request);
enum MHD_Result api_totp_confirm(struct request *request);
enum MHD_Result api_factor(struct request *request);
enum MHD_Result api_factor_shown(struct request *request);
enum MHD_Result api_setup(struct request *request);
enum MHD_Result api_setup_finish(struct request *request);
enum MHD_Result api_enrol_offer(struct request *request);
enum MHD_Result api_enrolled(struct request *request);
enum MHD_Result api_sessions(struct request *request);
enum MHD_Result api_sessions_told(struct request *request);
enum MHD_Result api_sessions_end(struct request *request);

/* api_admin.c: administration, all of it */
enum MHD_Result api_admin(struct request *request);
enum MHD_Result api_admin_told(struct request *request);

/* api_desktop.c: desktops and the ways to them */
enum MHD_Result api_desktops(struct request *request);
enum MHD_Result api_desktops_told(struct request *request);
enum MHD_Result api_state(struct request *request);
enum MHD_Result api_state_told(struct request *request);
enum MHD_Result api_ticket(struct request *request);
enum MHD_Result api_ticket_told(struct request *request);
enum MHD_Result api_rdp(struct request *request);
enum MHD_Result api_rdp_told(struct request *request);
enum MHD_Result api_visit(struct request *request);
enum MHD_Result api_visit_told(struct request *request);
enum MHD_Result api_tunnel(struct request *request);
enum MHD_Result api_tunnel_told(struct request *request);
enum MHD_Result api_cleanpath(struct request *request);
enum MHD_Result api_cleanpath_told(struct request *request);

/* api_gate_password.c */
enum MHD_Result api_gate_password(struct request *request);
enum MHD_Result api_gate_password_told(struct request *request);

/* api_rdg.c */
enum MHD_Result api_rdg(struct request *request);
