/* Pages served from memory. */
#pragma once

#include "request.h"

enum MHD_Result page_home(struct request *request);
enum MHD_Result page_style(struct request *request);
/* The plain port: to the canonical HTTPS name, never to what Host says. */
enum MHD_Result page_redirect(struct request *request);
#ifdef DESKGATE_PROBE
enum MHD_Result page_probe(struct request *request); /* tests/probe/probe.c */
#endif
