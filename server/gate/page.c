#include "page.h"

#include "answer.h"
#include "gate_state.h"
#include "web.h"

#include <stdio.h>

enum MHD_Result page_home(struct request *request)
{
    return answer_static(request, "text/html; charset=utf-8", web_index_html, web_index_html_size);
}

enum MHD_Result page_style(struct request *request)
{
    return answer_static(request, "text/css; charset=utf-8", web_style_css, web_style_css_size);
}

enum MHD_Result page_redirect(struct request *request)
{
    char location[sizeof(request->gate->origin) + 2];
    snprintf(location, sizeof(location), "%s/", request->gate->origin);
    return answer_moved(request, location);
}
