/* What a client shows at HTTP of a gateway password, before anybody has signed in: the first byte
 * says Basic or NTLM. What the keeper gets must keep to the record's table, and its own look at the
 * proof must end. */
#include "fuzz_kit.h"
#include "rdg_proof.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t challenge[NTLM_SERVER_CHALLENGE_SIZE] = {1, 2, 3, 4, 5, 6, 7, 8};
    static struct ipc_pass pass;
    const uint8_t *bindings = NULL;
    if (size == 0)
        return 0;
    uint8_t *copy = fuzz_copy(data + 1, size - 1);
    IPC_INIT(&pass, PASS, 0);
    const char *wrong = data[0] & 1 ? rdg_proof_ntlm(&pass, challenge, copy, size - 1, &bindings)
                                    : rdg_proof_basic(&pass, copy, size - 1);
    if (!wrong) {
        fuzz_demand(ipc_text_ok(pass.username, sizeof(pass.username)));
        fuzz_demand(ipc_text_ok(pass.password, sizeof(pass.password)));
        fuzz_demand(pass.user_size <= sizeof(pass.user) && pass.user_size % 2 == 0);
        fuzz_demand(pass.domain_size <= sizeof(pass.domain) && pass.domain_size % 2 == 0);
        fuzz_demand(pass.blob_size <= sizeof(pass.blob));
    }
    free(copy);
    return 0;
}
