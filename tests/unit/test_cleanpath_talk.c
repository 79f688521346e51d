/* What a browser's client is told of a refusal. */
#include "cleanpath_talk.h"
#include "ipc.h"
#include "suite.h"

#include <check.h>

static const struct {
    enum ipc_status status;
    int http_status, wsa;
} refusals[] = {
    /* all that an opening can be refused for */
    {IPC_NO_SESSION, 401, 0},
    {IPC_PASSWORD_DUE, 403, 0},
    {IPC_NOT_NOW, 403, 0},
    {IPC_NOT_FROM_HERE, 403, 0},
    {IPC_TOO_MANY, 403, 0},
    {IPC_STALE_FACTOR, 403, 0},
    {IPC_BAD_TICKET, 403, 0},
    {IPC_NO_DESKTOP, 404, 0},
    {IPC_DESKTOP_ASLEEP, 0, CLEANPATH_WSA_TIMED_OUT},
    {IPC_DESKTOP_REFUSED, 0, CLEANPATH_WSA_REFUSED},
    {IPC_DESKTOP_NAME, 0, CLEANPATH_WSA_HOST_NOT_FOUND},
    {IPC_DESKTOP_ADDRESS, 403, 0},
    {IPC_BUSY, 503, 0},
    {IPC_FAILED, 500, 0},
};

START_TEST(each_refusal_is_told_as_what_it_is)
{
    struct cleanpath_error error = cleanpath_talk_error(refusals[_i].status);
    ck_assert_int_eq(error.code, CLEANPATH_GENERAL);
    ck_assert_msg(error.http_status == refusals[_i].http_status && error.wsa == refusals[_i].wsa,
                  "%s: HTTP %d, WSA %d", ipc_status_name(refusals[_i].status), error.http_status,
                  error.wsa);
    ck_assert_int_eq(error.tls_alert, 0);
}
END_TEST

START_TEST(certificates_are_told_by_tls_alerts)
{
    ck_assert_int_eq(cleanpath_talk_error(IPC_CERTIFICATE_CHANGED).tls_alert, 46);
    ck_assert_int_eq(cleanpath_talk_error(IPC_CERTIFICATE_UNTRUSTED).tls_alert, 48);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cleanpath_talk");
    TCase *tests = tcase_create("cleanpath_talk");
    tcase_add_loop_test(tests, each_refusal_is_told_as_what_it_is, 0,
                        sizeof(refusals) / sizeof(*refusals));
    tcase_add_test(tests, certificates_are_told_by_tls_alerts);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
