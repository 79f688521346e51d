/* deskgate user export: everybody, as 'deskgate user import' takes them. */
#include "act.h"
#include "admin_user_csv.h"
#include "csv_cell.h"
#include "people_csv.h"
#include "store_policy.h"
#include "when.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

struct exporting {
    struct act *act;
    enum store_result result;
};

static int export_one(void *owner, const struct store_user *user)
{
    struct exporting *exporting = owner;
    struct store *store = exporting->act->store;
    struct store_person_policy policy;
    char groups[STORE_GROUP_NAMES_SIZE], from[WHEN_SIZE], until[WHEN_SIZE], tunnels[12] = "";
    exporting->result = store_policy_person(store, user->id, &policy);
    if (exporting->result == STORE_OK)
        exporting->result = store_group_names(store, STORE_OF_PEOPLE, user->id, groups);
    if (exporting->result != STORE_OK)
        return 1;
    size_t size = strlen(groups);
    if (size > 0 && groups[size - 1] == '\n')
        groups[size - 1] = '\0';
    for (char *c = groups; *c; c++)
        *c = *c == '\n' ? ';' : *c;
    if (policy.tunnels)
        snprintf(tunnels, sizeof(tunnels), "%u", policy.tunnels);
    const char *const cells[PEOPLE_COLUMNS] = {
        [PEOPLE_NAME] = user->name,
        [PEOPLE_GROUPS] = groups,
        [PEOPLE_DISABLED] = user->disabled ? "yes" : "no",
        [PEOPLE_VALID_FROM] = policy.valid_from ? when_utc(policy.valid_from, from) : "",
        [PEOPLE_VALID_UNTIL] = policy.valid_until ? when_utc(policy.valid_until, until) : "",
        [PEOPLE_TUNNELS] = tunnels,
        [PEOPLE_ROLE] = user->administrator ? "administrator" : "user",
    };
    for (size_t i = 0; i < PEOPLE_COLUMNS; i++) {
        fputs(i ? "," : "", exporting->act->out);
        csv_cell_write(exporting->act->out, cells[i]);
    }
    fputs("\r\n", exporting->act->out);
    return ferror(exporting->act->out);
}

int admin_user_export(struct act *act, const struct sub_args *args)
{
    struct exporting exporting = {act, STORE_OK};
    (void)args;
    for (size_t i = 0; i < PEOPLE_COLUMNS; i++)
        fprintf(act->out, "%s%s", i ? "," : "", people_columns[i]);
    fputs("\r\n", act->out);
    if (store_user_list(act->store, export_one, &exporting) == STORE_FAILED ||
        exporting.result != STORE_OK)
        return act_store_failed(act);
    return EX_OK;
}
