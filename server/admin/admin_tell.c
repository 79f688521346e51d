/* deskgate tunnel tell: an administrator's words for the people in front of tunnels. They are a row
 * in the store, per tunnel; the running keeper sees it and sends. Of the ways in, only RDP clients
 * that use the gateway as their RD Gateway can show words. */
#include "admin_tell.h"

#include "act.h"
#include "ipc.h"
#include "store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

const struct sub_option admin_tell_options[] = {
    {"all", NULL, "to everybody who has a tunnel that can show words"},
    {0},
};

struct admin_tell {
    const char *words;
    int64_t id; /* 0: all */
    struct store_tunnel *found;
    size_t count;
    bool other;  /* there is one of that number, of another way in */
    bool failed; /* memory ran out */
};

static int admin_tell_note(void *owner, const struct store_tunnel *tunnel)
{
    struct admin_tell *tell = owner;

    if (tell->id != 0 && tell->id != tunnel->id)
        return 0;
    if (strcmp(tunnel->way, ipc_way_name(IPC_WAY_RDG)) != 0) {
        tell->other = true;
        return 0;
    }
    struct store_tunnel *found = reallocarray(tell->found, tell->count + 1, sizeof(*found));
    if (found == NULL) {
        tell->failed = true;
        return 1;
    }
    tell->found = found;
    found[tell->count++] = *tunnel;
    return 0;
}

static int admin_tell_none(struct act *act, const struct admin_tell *tell)
{
    if (tell->id == 0)
        return act_error(act, EX_NOINPUT,
                         "no tunnel is open that could show words; 'deskgate tunnel "
                         "list' shows all (those of the way rdg can)");
    if (tell->other)
        return act_error(act, EX_NOINPUT,
                         "tunnel %lld cannot show words: only those of the way rdg can",
                         (long long)tell->id);
    return act_error(act, EX_NOINPUT,
                     "there is no live tunnel %lld; 'deskgate tunnel list' shows all",
                     (long long)tell->id);
}

static int admin_tell_write(struct act *act, void *owner)
{
    struct admin_tell *tell = owner;
    int code = EX_OK;

    if (store_tunnel_list(act->store, true, admin_tell_note, tell) == STORE_FAILED)
        return act_store_failed(act);
    if (tell->failed)
        return act_error(act, EX_OSERR, "out of memory");
    if (tell->count == 0)
        return admin_tell_none(act, tell);
    for (size_t i = 0; i < tell->count && code == EX_OK; i++) {
        const struct store_tunnel *to = &tell->found[i];
        if (store_notice_add(act->store, to->id, tell->words, act->now) != STORE_OK)
            return act_store_failed(act);
        code = act_audit(act, "tunnel-tell", to->user_name, to->desktop_name, "tunnel %lld: %s",
                         (long long)to->id, tell->words);
    }
    return code;
}

/* Clients show them in a box of their own: one paragraph, nothing that moves or hides text. */
static int admin_tell_words(struct act *act, const char *words)
{
    const char *fault = NULL;

    _Static_assert(TEXT_WORDS_SIZE == 721, "below it says 720");
    if (words[strspn(words, " ")] == '\0')
        fault = "they are empty";
    else if (strlen(words) >= TEXT_WORDS_SIZE)
        fault = "they are longer than 720 bytes";
    else if (!text_is_utf8((const uint8_t *)words, strlen(words)))
        fault = "they are not UTF-8 text";
    for (const char *at = words; *at != '\0' && fault == NULL; at++) {
        if ((uint8_t)*at < 0x20 || *at == 0x7f)
            fault = "they have control characters in them";
    }
    return fault == NULL ? EX_OK
                         : act_error(act, EX_DATAERR, "the words cannot be shown: %s", fault);
}

int admin_tell_run(struct act *act, const struct sub_args *args)
{
    struct admin_tell tell = {.words = args->words[args->count - 1]};
    bool all = sub_value(args, "all") != NULL;

    if (args->count != (all ? 1U : 2U))
        return act_error(act, EX_USAGE,
                         "to whom, and what? Give a tunnel's number or --all, and the "
                         "words in quotes");
    int code = all ? EX_OK : act_number(act, "tunnel", args->words[0], &tell.id);
    if (code == EX_OK)
        code = admin_tell_words(act, tell.words);
    if (code == EX_OK)
        code = act_change(act, admin_tell_write, &tell);
    if (code == EX_OK)
        fprintf(act->out,
                "Words for %zu tunnel%s; a running gateway passes them on within a second, to "
                "clients that show such words.\n",
                tell.count, tell.count == 1 ? "" : "s");
    free(tell.found);
    return code;
}
