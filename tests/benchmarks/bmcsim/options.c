/* SPDX-FileCopyrightText: 2026 stage0.metal contributors
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * bmcsim: the command line.
 */
#include "farm.h"
#include <arpa/inet.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

struct options opt = {
    .count = 10, .per_net = 250, .base = 0x7f010001, .port = 623, .max_sessions = 8, .session_timeout_s = 60,
    .half_open_s = 5, .manufacturer = 999999, .product = 4711, .suites = 1 << 3 | 1 << 17, .seed = 88172645463325252ull,
};

static const char help[] =
    "usage: bmcsim [options]      a farm of IPMI 2.0 BMCs on loopback addresses, behind one UDP socket\n"
    "  --count N            BMCs (10)\n"
    "  --base A.B.C.D       first address (127.1.0.1); --per-net K: addresses in each /24 (250)\n"
    "  --port P             UDP port (623)\n"
    "  --user N:P[:PRIV]    account, repeatable (admin:secret:4)\n"
    "  --suites LIST        cipher suites offered, of 1,2,3,15,16,17 (3,17)\n"
    "  --latency-ms M       every reply is so late; --jitter-ms J adds 0 to J\n"
    "  --service-ms S       a BMC needs S for a packet and works on one at a time\n"
    "  --slow-every K --slow-ms M   every K-th BMC is M slower\n"
    "  --loss P             P percent of the requests and P percent of the replies are lost\n"
    "  --dead-every K       BMCs K, 2K, ... never answer\n"
    "  --badpass-every K    BMCs K-1, 2K-1, ... have another password\n"
    "  --power-delay-ms M   a power command takes effect so much later; --off: start switched off\n"
    "  --max-sessions N     session slots of a BMC, 1 to 16 (8)\n"
    "  --session-timeout S  seconds after which a BMC ends an idle session (60)\n"
    "  --half-open S        seconds after which it forgets a log-in that was not finished (5)\n"
    "  --strict-rakp        answer a repeated RAKP 3 with an error, as some BMCs do\n"
    "  --manufacturer ID --product ID   of Get Device ID\n"
    "  --statistics FILE    one JSON line for each BMC, on exit and on SIGUSR1\n"
    "  --control PATH       unix datagram socket for changes while it runs; README.md lists them\n"
    "  --seed N  --quiet\n";

enum option_key {
    COUNT = 256, BASE, PER_NET, PORT, USER, SUITES, LATENCY, JITTER, SERVICE, SLOW_EVERY, SLOW, LOSS, DEAD_EVERY,
    BADPASS_EVERY, POWER_DELAY, OFF, MAX_SESSIONS, SESSION_TIMEOUT, HALF_OPEN, STRICT_RAKP, MANUFACTURER, PRODUCT,
    STATISTICS, CONTROL, SEED, QUIET, HELP,
};
static const struct option names[] = {
    {"count", 1, 0, COUNT}, {"base", 1, 0, BASE}, {"per-net", 1, 0, PER_NET}, {"port", 1, 0, PORT}, {"user", 1, 0, USER},
    {"suites", 1, 0, SUITES}, {"latency-ms", 1, 0, LATENCY}, {"jitter-ms", 1, 0, JITTER}, {"service-ms", 1, 0, SERVICE},
    {"slow-every", 1, 0, SLOW_EVERY}, {"slow-ms", 1, 0, SLOW}, {"loss", 1, 0, LOSS}, {"dead-every", 1, 0, DEAD_EVERY},
    {"badpass-every", 1, 0, BADPASS_EVERY}, {"power-delay-ms", 1, 0, POWER_DELAY}, {"off", 0, 0, OFF},
    {"max-sessions", 1, 0, MAX_SESSIONS}, {"session-timeout", 1, 0, SESSION_TIMEOUT}, {"half-open", 1, 0, HALF_OPEN},
    {"strict-rakp", 0, 0, STRICT_RAKP}, {"manufacturer", 1, 0, MANUFACTURER}, {"product", 1, 0, PRODUCT},
    {"statistics", 1, 0, STATISTICS}, {"control", 1, 0, CONTROL}, {"seed", 1, 0, SEED}, {"quiet", 0, 0, QUIET},
    {"help", 0, 0, HELP}, {0},
};

static _Noreturn void wrong(const char *what, const char *value)
{
    fprintf(stderr, "bmcsim: %s: %s; see bmcsim --help\n", what, value);
    exit(2);
}

static double number(const char *text)
{
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end || !(value >= 0 && value <= 1e9))
        wrong("not a number that makes sense here", text);
    return value;
}

static u32 suite_list(const char *text)
{
    u32 suites = 0;
    for (const char *at = text; *at;) {
        char *end;
        unsigned long suite = strtoul(at, &end, 10);
        if (end == at || (*end && *end != ',') || suite > 17 || !(0x3800eu >> suite & 1))
            wrong("no list of the suites 1, 2, 3, 15, 16, 17", text);
        suites |= 1u << suite;
        at = *end ? end + 1 : end;
    }
    return suites;
}

static u32 address(const char *text)
{
    struct in_addr found;
    if (!inet_pton(AF_INET, text, &found))
        wrong("not an IPv4 address", text);
    return ntohl(found.s_addr);
}

void address_text(u32 value, char text[16])
{
    struct in_addr given = {htonl(value)};
    inet_ntop(AF_INET, &given, text, 16);
}

static void set(int key, const char *value)
{
    switch (key) {
    case COUNT: opt.count = number(value); break;
    case BASE: opt.base = address(value); break;
    case PER_NET: opt.per_net = number(value); break;
    case PORT: opt.port = number(value); break;
    case USER:
        if (!add_user(value))
            wrong("not NAME:PASSWORD[:PRIVILEGE], or too many of them", value);
        break;
    case SUITES: opt.suites = suite_list(value); break;
    case LATENCY: opt.latency_ms = number(value); break;
    case JITTER: opt.jitter_ms = number(value); break;
    case SERVICE: opt.service_ms = number(value); break;
    case SLOW_EVERY: opt.slow_every = number(value); break;
    case SLOW: opt.slow_ms = number(value); break;
    case LOSS: opt.loss = number(value) / 100; break;
    case DEAD_EVERY: opt.dead_every = number(value); break;
    case BADPASS_EVERY: opt.badpass_every = number(value); break;
    case POWER_DELAY: opt.power_delay_ms = number(value); break;
    case OFF: opt.start_off = 1; break;
    case MAX_SESSIONS: opt.max_sessions = number(value); break;
    case SESSION_TIMEOUT: opt.session_timeout_s = number(value); break;
    case HALF_OPEN: opt.half_open_s = number(value); break;
    case STRICT_RAKP: opt.strict_rakp = 1; break;
    case MANUFACTURER: opt.manufacturer = number(value); break;
    case PRODUCT: opt.product = number(value); break;
    case STATISTICS: opt.statistics = value; break;
    case CONTROL: opt.control = value; break;
    case SEED: opt.seed = strtoull(value, NULL, 0); break;
    case QUIET: opt.quiet = 1; break;
    case HELP: fputs(help, stdout); exit(0);
    default: exit(2);
    }
}

void parse_options(int argc, char **argv)
{
    for (int key; (key = getopt_long(argc, argv, "", names, NULL)) != -1;)
        set(key, optarg);
    if (optind < argc)
        wrong("no option", argv[optind]);
    if (!user_count)
        add_user("admin:secret:4");
    if (opt.max_sessions < 1 || opt.max_sessions > SLOTS)
        wrong("--max-sessions", "1 to 16");
    if (opt.count < 1 || opt.count > 1000000 || opt.per_net < 1 || opt.per_net > 256)
        wrong("--count, --per-net", "1 to 1000000 BMCs, 1 to 256 in each /24");
}
