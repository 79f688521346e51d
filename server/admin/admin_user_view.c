#include "admin_user_view.h"

#include "act.h"
#include "listing.h"
#include "store_policy.h"

#include <sysexits.h>

struct view {
    struct act *act;
    enum store_result result;
    struct listing listing;
};

static const struct listing_column columns[] = {
    {"name", "NAME", LISTING_TEXT},
    {"role", "ROLE", LISTING_TEXT},
    {"disabled", "DISABLED", LISTING_YES},
    {"created_at", "CREATED", LISTING_TIME},
    {"signed_in_at", "LAST SIGN-IN", LISTING_TIME},
    {"invited_until", NULL, LISTING_TIME},
    {"groups", NULL, LISTING_LINES},
    {"from", NULL, LISTING_TIME},
    {"until", NULL, LISTING_TIME},
    {"tunnels", NULL, LISTING_NUMBER},
    {"idle_seconds", NULL, LISTING_NUMBER},
    {"absolute_seconds", NULL, LISTING_NUMBER},
    {NULL, NULL, LISTING_TEXT},
};

/* What the table for people has no room for. */
static enum store_result look_up(struct act *act, const struct store_user *user,
                                 struct store_person_policy *policy,
                                 char groups[STORE_GROUP_NAMES_SIZE], int64_t *invited_until)
{
    enum store_result result = store_policy_person(act->store, user->id, policy);
    if (result == STORE_OK)
        result = store_group_names(act->store, STORE_OF_PEOPLE, user->id, groups);
    if (result == STORE_OK)
        result = store_invitation_until(act->store, user->id, act->now, invited_until);
    return result == STORE_NONE ? STORE_OK : result;
}

static int each_user(void *owner, const struct store_user *user)
{
    struct view *view = owner;
    struct store_person_policy policy = {0};
    char groups[STORE_GROUP_NAMES_SIZE] = "";
    int64_t invited_until = 0;
    if (view->listing.json)
        view->result = look_up(view->act, user, &policy, groups, &invited_until);
    listing_row(&view->listing,
                (struct listing_value[]){{.text = user->name},
                                         {.text = user->administrator ? "administrator" : "user"},
                                         {.number = user->disabled},
                                         {.number = user->created_at},
                                         {.number = user->signed_in_at},
                                         {.number = invited_until},
                                         {.text = groups},
                                         {.number = policy.valid_from},
                                         {.number = policy.valid_until},
                                         {.number = policy.tunnels},
                                         {.number = policy.limits.idle_seconds},
                                         {.number = policy.limits.absolute_seconds}});
    return view->result != STORE_OK;
}

int admin_user_view_list(struct act *act, const struct sub_args *args)
{
    struct view view = {.act = act};
    listing_init(&view.listing, act, columns, sub_value(args, "json") != NULL,
                 "There is nobody yet; 'deskgate user add NAME' adds a person.");
    if (store_user_list(act->store, each_user, &view) == STORE_FAILED || view.result != STORE_OK)
        return listing_drop(&view.listing, act_store_failed(act));
    return listing_finish(&view.listing);
}
