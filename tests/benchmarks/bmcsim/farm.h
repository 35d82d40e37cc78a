/* SPDX-FileCopyrightText: 2026 stage0.metal contributors
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * bmcsim: a farm of simulated IPMI 2.0 BMCs behind one UDP socket. Everything that its files share.
 */
#ifndef FARM_H
#define FARM_H
#define _GNU_SOURCE
#define OPENSSL_SUPPRESS_DEPRECATED /* the low-level functions: a ready HMAC key is copied, not set up again */
#include <netinet/in.h>
#include <openssl/aes.h>
#include <openssl/sha.h>
#include <stdint.h>
#include <stdio.h>

#define BATCH 64
#define PACKET 640
#define SLOTS 16
#define USERS 8
#define BOOT_PARAMETERS 8

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

/* options.c: what was asked for on the command line; some of it changes over the control socket. */
struct options {
    u32 count, per_net, base;
    int port;
    double latency_ms, jitter_ms, service_ms, slow_ms, power_delay_ms, half_open_s, session_timeout_s;
    double loss; /* 0..1, of each direction */
    u32 dead_every, badpass_every, slow_every;
    int max_sessions, start_off, strict_rakp, quiet;
    u32 suites; /* bit n: cipher suite n is offered */
    u32 manufacturer, product;
    const char *statistics, *control;
    u64 seed;
};
extern struct options opt;
void parse_options(int argc, char **argv);
void address_text(u32 address, char text[16]);

/* keys.c: HMAC with keys that are set up once, AES-CBC, and random bytes, which need not be good. */
enum { BY_SHA1 = 1, BY_SHA256 = 3 }; /* as RAKP authentication algorithms are numbered, without MD5 */
struct mac_key {
    int algorithm;
    union { SHA_CTX sha1; SHA256_CTX sha256; } inner, outer;
};
struct user {
    char name[17];
    int name_length, privilege;
    struct mac_key good[2], bad[2]; /* by digest_index() */
};
extern struct user users[USERS];
extern int user_count;
int digest_index(int algorithm);
void mac_init(struct mac_key *key, int algorithm, const u8 *secret, int length);
int mac_sum(const struct mac_key *key, const u8 *data, int length, u8 sum[32]);
int add_user(const char *specification);
void seed_random(u64 seed);
u64 random_number(void);
double random_fraction(void);
void random_bytes(u8 *place, int length);

/* The farm. */
enum session_state { FREE, OPENED, CHALLENGED, ACTIVE, CLOSING };
struct session {
    u32 id, console_id, sequence;
    enum session_state state;
    u8 authentication, integrity, confidentiality, privilege, highest, role, name_length;
    u8 name[16], console_random[16], random[16];
    int proved; /* its RAKP 2 reached the network: the console can tell whether its password is right */
    struct user *user;
    u64 last;
    struct mac_key k1;
    AES_KEY encrypt, decrypt;
};
struct bmc {
    u32 number; /* from 1 */
    u8 power, next_power, identify, dead, badpass, policy, events;
    u64 power_at, busy_until;
    u32 generation;
    u8 guid[16];
    u8 boot[BOOT_PARAMETERS][16], boot_length[BOOT_PARAMETERS], boot_valid;
    u16 sdr_reservation, sel_reservation;
    struct { u32 received, sent, lost, refused, proofs, bad_packets, logins, power_commands; } n;
    u32 *commands; /* how often, by place in the table of commands */
    struct session *slots[SLOTS];
};
extern struct bmc *farm;
extern u64 now; /* nanoseconds, of this turn of the loop */
u32 bmc_address(u32 number);
void settle_power(struct bmc *b);

/* net.c: the socket and the replies that wait. */
struct reply {
    u64 due;
    u32 length, from;
    struct sockaddr_in to;
    struct reply *next;
    u8 bytes[PACKET];
};
extern struct totals { u64 received, sent, lost_in, lost_out, stray, most_waiting, since; } totals;
u64 clock_ns(void);
int open_socket(void);
void receive_all(void);
void send_due(void);
int next_due(u64 *due);
int emit(struct bmc *b, struct reply *o); /* whether it was not lost; the reply is not the caller's any more */
void drop(struct reply *o);

/* packet.c: framing. A packet becomes a call of session.c or commands.c, and its answer a packet. */
void handle_packet(struct bmc *b, struct reply *o, u8 *packet, int length);
u8 *rmcpp_header(struct reply *o, u8 payload_type, int length);

/* session.c: Open Session, RAKP 1-4, slots. */
struct session *find_session(struct bmc *b, u32 id);
void expire_sessions(struct bmc *b);
void count_sessions(struct bmc *b, int *active, int *half_open);
void open_session(struct bmc *b, struct reply *o, const u8 *payload, int length);
void rakp_1(struct bmc *b, struct reply *o, const u8 *payload, int length);
void rakp_3(struct bmc *b, struct reply *o, const u8 *payload, int length);

/* commands.c, storage.c: what is asked in IPMI messages. */
struct call {
    struct bmc *b;
    struct session *s; /* NULL outside a session */
    const u8 *data;
    int length;
    u8 *out; /* out[0] is the completion code */
};
struct command {
    u8 netfn, number, least, privilege; /* bytes of data at least; privilege 0: also without a session */
    const char *name;
    int (*run)(struct call *c); /* returns the length of the answer with its completion code */
};
extern const struct command app_commands[], chassis_commands[], storage_commands[], transport_commands[];
enum counted { COUNT_OTHER, COUNT_PING, COUNT_OPEN, COUNT_RAKP1, COUNT_RAKP3, COUNT_COMMANDS };
void index_commands(void);
int command_count(void);
const char *command_name(int place);
int run_command(struct call *c, u8 netfn, u8 number);
int refuse(struct call *c, u8 completion);
void build_sensors(void);

/* statistics.c */
void write_statistics(const char *path);
void write_summary(FILE *file);
void reset_statistics(void);
int open_control(void);
void serve_control(int fd);

/* Bytes. */
static inline void put16(u8 *p, u32 v) { p[0] = v; p[1] = v >> 8; }
static inline void put32(u8 *p, u32 v) { put16(p, v); put16(p + 2, v >> 16); }
static inline u32 get16(const u8 *p) { return p[0] | p[1] << 8; }
static inline u32 get32(const u8 *p) { return get16(p) | get16(p + 2) << 16; }
static inline u8 checksum(const u8 *p, int n)
{
    u8 sum = 0;
    while (n--)
        sum += *p++;
    return -sum;
}
_Noreturn void die(const char *what);
#endif
