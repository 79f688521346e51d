#include "page.h"

#include "asset.h"
#include "gate_state.h"

#include <stdio.h>

enum MHD_Result page_asset(struct request *request)
{
    return asset_answer(request, request->asset, ANSWER_PAGE);
}

/* The page alone; what it shows, the API gives to administrators. */
enum MHD_Result page_admin(struct request *request)
{
    return asset_answer(request, asset_find("/admin.html"), ANSWER_PAGE);
}

enum MHD_Result page_desktop(struct request *request)
{
    const struct web_asset *asset = asset_find("/viewer.html");
    if (!asset) /* built without the viewer */
        return answer_status(request, IPC_NOT_FOUND, 0);
    return asset_answer(request, asset, ANSWER_VIEWER);
}

enum MHD_Result page_redirect(struct request *request)
{
    char location[sizeof(request->gate->origin) + 2];
    snprintf(location, sizeof(location), "%s/", request->gate->origin);
    return answer_moved(request, location);
}
