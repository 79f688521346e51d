#include "client_options.h"

#include "day.h"
#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define RETRY_SECONDS 60
#define RETRY_SECONDS_MOST DAY_SECONDS

static const char connect_help[] =
    "Usage: deskgate connect [OPTIONS] https://GATEWAY[:PORT] DESKTOP [-- COMMAND ...]\n"
    "\n"
    "Signs in at a gateway and opens a local address that leads to one of your desktops.\n"
    "\n"
    "  --user NAME            do not ask for the user name\n"
    "  --listen ADDRESS:PORT  where the RDP client connects to; port 0 is any free one.\n"
    "                         Else 127.0.0.1 and a port that stays the same for this desktop,\n"
    "                         by which RDP clients remember its certificate\n"
    "  --allow-remote         let --listen name an address that other machines can reach\n"
    "  --exec COMMAND         start the RDP client with the shell, end with it, pass on its exit\n"
    "                         code; {} becomes the local address. Or give it behind --.\n"
    "                         FreeRDP's xfreerdp and xfreerdp3 are one: the one that is there\n"
    "                         is started. One that hands over to another and ends with 0, as\n"
    "                         Remmina does when it runs already, is waited for: this ends 20 s\n"
    "                         after its last connection, or when none comes for 5 minutes\n"
    "  --stdio                one connection on standard input and output, no local address\n"
    "  --fingerprint SHA256   trust exactly the gateway certificate with this fingerprint\n"
    "  --cacert FILE          trust the authorities in this PEM file, not the system's\n"
    "  --credentials-fd N     read user name (not with --user), password and code from this\n"
    "                         descriptor, one per line; one more code per later sign-in. The\n"
    "                         RDP client cannot read them; with 0 its standard input is empty\n"
    "  --ready-fd N           write the local address to this descriptor once it accepts\n"
    "  --retry SECONDS        how long to bear a network that fails (60; 0: not at all)\n"
    "  --help                 this text\n"
    "\n"
    "A proxy is taken from https_proxy, all_proxy and no_proxy; one that is itself reached by\n"
    "https:// is not supported.\n"
    "\n"
    "Example:\n"
    "  deskgate connect https://gateway.example.com office-pc\n"
    "  deskgate connect --exec 'xfreerdp /v:{} /u:anna' https://gateway.example.com office-pc\n"
    "  deskgate connect --exec 'remmina -c rdp://{}' https://gateway.example.com office-pc\n"
    "  deskgate connect --listen 127.0.0.1:3390 https://192.0.2.7:8443 office-pc\n";

static const char rdp_file_help[] =
    "Usage: deskgate rdp-file [OPTIONS] https://GATEWAY[:PORT] DESKTOP\n"
    "\n"
    "Signs in at a gateway and fetches the .rdp file of one of your desktops. Open it within five\n"
    "minutes, with an RDP client of your choice (FreeRDP's xfreerdp is called xfreerdp3 on Debian\n"
    "13): its ticket is good for one session of work. You stay signed in for it; signing out\n"
    "everywhere, in the portal, ends it.\n"
    "\n"
    "  -o, --output FILE      where to (DESKTOP.rdp); - is standard output\n"
    "  --force                replace a file that is there\n"
    "  --user NAME            do not ask for the user name\n"
    "  --fingerprint SHA256   trust exactly the gateway certificate with this fingerprint\n"
    "  --cacert FILE          trust the authorities in this PEM file, not the system's\n"
    "  --credentials-fd N     read user name (not with --user), password and code from this\n"
    "                         descriptor, one per line\n"
    "  --help                 this text\n"
    "\n"
    "A proxy is taken from https_proxy, all_proxy and no_proxy; one that is itself reached by\n"
    "https:// is not supported.\n"
    "\n"
    "Example:\n"
    "  deskgate rdp-file https://gateway.example.com office-pc && xfreerdp office-pc.rdp\n";

enum option_id {
    OPTION_USER = 1,
    OPTION_LISTEN,
    OPTION_ALLOW_REMOTE,
    OPTION_EXEC,
    OPTION_STDIO,
    OPTION_FINGERPRINT,
    OPTION_CACERT,
    OPTION_CREDENTIALS_FD,
    OPTION_READY_FD,
    OPTION_RETRY,
    OPTION_OUTPUT,
    OPTION_FORCE,
    OPTION_HELP
};

static const struct option connect_table[] = {
    {"user", required_argument, NULL, OPTION_USER},
    {"listen", required_argument, NULL, OPTION_LISTEN},
    {"allow-remote", no_argument, NULL, OPTION_ALLOW_REMOTE},
    {"exec", required_argument, NULL, OPTION_EXEC},
    {"stdio", no_argument, NULL, OPTION_STDIO},
    {"fingerprint", required_argument, NULL, OPTION_FINGERPRINT},
    {"cacert", required_argument, NULL, OPTION_CACERT},
    {"credentials-fd", required_argument, NULL, OPTION_CREDENTIALS_FD},
    {"ready-fd", required_argument, NULL, OPTION_READY_FD},
    {"retry", required_argument, NULL, OPTION_RETRY},
    {"help", no_argument, NULL, OPTION_HELP},
    {0},
};

static const struct option rdp_file_table[] = {
    {"output", required_argument, NULL, OPTION_OUTPUT},
    {"force", no_argument, NULL, OPTION_FORCE},
    {"user", required_argument, NULL, OPTION_USER},
    {"fingerprint", required_argument, NULL, OPTION_FINGERPRINT},
    {"cacert", required_argument, NULL, OPTION_CACERT},
    {"credentials-fd", required_argument, NULL, OPTION_CREDENTIALS_FD},
    {"help", no_argument, NULL, OPTION_HELP},
    {0},
};

static const struct verb {
    const char *name, *help, *letters;
    const struct option *table;
} verbs[] = {
    [CLIENT_CONNECT] = {"connect", connect_help, ":", connect_table},
    [CLIENT_RDP_FILE] = {"rdp-file", rdp_file_help, ":o:", rdp_file_table},
};
static const struct verb *verb; /* whose arguments are being read */

/* What the parse sees on its way and the options do not keep. */
struct seen {
    bool allow_remote, help;
};

static int usage(const char *format, ...) __attribute__((format(printf, 1, 2)));

static int usage(const char *format, ...)
{
    char words[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(words, sizeof(words), format, arguments);
    va_end(arguments);
    client_failure_plain(words);
    fprintf(stderr, "deskgate %s: %s\nTry: deskgate %s --help\n", verb->name, words, verb->name);
    return EX_USAGE;
}

static int take_descriptor(const char *name, const char *text, int *out)
{
    uint64_t number;
    if (!text_number(text, INT_MAX, &number))
        return usage("%s wants the number of a descriptor, not '%s'", name, text);
    *out = (int)number;
    if (fcntl(*out, F_GETFD) < 0)
        return usage("%s: descriptor %d is not open", name, *out);
    if (*out > STDERR_FILENO)
        fcntl(*out, F_SETFD, FD_CLOEXEC); /* not the RDP client's to read; see client_exec.h */
    return EX_OK;
}

static int take_retry(const char *text, uint32_t *out)
{
    uint64_t seconds;
    if (!text_number(text, RETRY_SECONDS_MOST, &seconds))
        return usage("--retry wants seconds, at most %d, not '%s'", RETRY_SECONDS_MOST, text);
    *out = (uint32_t)seconds * 1000;
    return EX_OK;
}

static int take(struct client_options *options, struct seen *seen, int id, const char *value)
{
    switch (id) {
    case OPTION_USER:
        options->user = value;
        return *value ? EX_OK : usage("--user wants a name");
    case OPTION_LISTEN:
        options->listen_given = true;
        return client_listen_parse(&options->listen, value)
                   ? EX_OK
                   : usage(
                         "--listen wants ADDRESS:PORT, such as 127.0.0.1:3390 or [::1]:0, not '%s'",
                         value);
    case OPTION_ALLOW_REMOTE:
        seen->allow_remote = true;
        return EX_OK;
    case OPTION_EXEC:
        options->exec = value;
        return *value ? EX_OK : usage("--exec wants a command");
    case OPTION_STDIO:
        options->stdio = true;
        return EX_OK;
    case OPTION_FINGERPRINT:
        options->pinned = client_trust_parse_pin(options->pin, value);
        return options->pinned
                   ? EX_OK
                   : usage("--fingerprint wants the SHA-256 of the certificate: 64 hexadecimal "
                           "digits, with or without colons");
    case OPTION_CACERT:
        options->cacert = value;
        return EX_OK;
    case OPTION_CREDENTIALS_FD:
        return take_descriptor("--credentials-fd", value, &options->credentials_fd);
    case OPTION_READY_FD:
        return take_descriptor("--ready-fd", value, &options->ready_fd);
    case OPTION_RETRY:
        return take_retry(value, &options->retry_ms);
    case 'o':
    case OPTION_OUTPUT:
        options->output = value;
        return *value ? EX_OK : usage("--output wants a file");
    case OPTION_FORCE:
        options->force = true;
        return EX_OK;
    default:
        seen->help = true;
        return EX_OK;
    }
}

static int judge(const struct client_options *options, const struct seen *seen, enum client_verb of)
{
    bool command = options->exec || options->words;
    if (options->words && of == CLIENT_RDP_FILE)
        return usage("nothing goes behind --");
    if (options->exec && options->words)
        return usage("give the RDP client with --exec or behind --, not both");
    if (options->words && !options->words[0])
        return usage("a command is missing behind --");
    if (options->stdio && (command || options->listen_given || options->ready_fd >= 0))
        return usage("--stdio goes without --listen, --ready-fd, --exec and a command");
    if (options->stdio && options->credentials_fd == 0)
        return usage("--stdio needs standard input for itself; use another --credentials-fd");
    if (options->pinned && options->cacert)
        return usage("--fingerprint and --cacert are two ways to trust; give one");
    if (!seen->allow_remote && !client_listen_is_loopback(&options->listen))
        return usage("with this --listen everybody who can reach this machine could use the tunnel "
                     "to your desktop; say --allow-remote if that is meant");
    return EX_OK;
}

static int take_words(struct client_options *options, int count, char **words)
{
    const char *why;
    if (count != 2)
        return usage("the gateway's address and the desktop's name are wanted, in this order%s",
                     count > 2 && verb == &verbs[CLIENT_CONNECT] ? "; a command goes behind --"
                                                                 : "");
    if (!client_url_parse(&options->gateway, words[0], &why))
        return usage("'%s': %s", words[0], why);
    if (!text_is_name(words[1]))
        return usage("'%s' cannot be a desktop's name (letters, digits and ._@+-)", words[1]);
    options->desktop = words[1];
    return EX_OK;
}

int client_options_parse(struct client_options *options, enum client_verb of, int argc, char **argv)
{
    struct seen seen = {0};
    verb = &verbs[of];
    *options = (struct client_options){
        .credentials_fd = -1, .ready_fd = -1, .retry_ms = RETRY_SECONDS * 1000};
    client_listen_parse(&options->listen, "127.0.0.1:0");
    int own = argc; /* arguments before "--" */
    for (int i = 1; i < argc && own == argc; i++) {
        if (strcmp(argv[i], "--") == 0)
            own = i;
    }
    options->words = own < argc ? argv + own + 1 : NULL;
    optind = 0; /* glibc: begin anew */
    opterr = 0;
    for (int id, code; (id = getopt_long(own, argv, verb->letters, verb->table, NULL)) != -1;) {
        if (id == '?' || id == ':')
            return usage(id == '?' ? "unknown option %s" : "%s wants a value", argv[optind - 1]);
        code = take(options, &seen, id, optarg);
        if (code)
            return code;
    }
    if (seen.help) {
        fputs(verb->help, stdout);
        return -1;
    }
    int code = take_words(options, own - optind, argv + optind);
    return code ? code : judge(options, &seen, of);
}
