/* Pages served from memory. */
#pragma once

#include "request.h"

/* A file of web/, under its own path; "/" is the portal. */
enum MHD_Result page_asset(struct request *request);
/* Administration: for everybody the same page, empty without the API's leave. */
enum MHD_Result page_admin(struct request *request);
/* The viewer: one page for every desktop. Whether there is such a desktop, its script asks. */
enum MHD_Result page_desktop(struct request *request);
/* The plain port: to the canonical HTTPS name, never to what Host says. */
enum MHD_Result page_redirect(struct request *request);
#ifdef DESKGATE_PROBE
enum MHD_Result page_probe(struct request *request); /* tests/probe/probe.c */
#endif
