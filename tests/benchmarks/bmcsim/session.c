/* SPDX-FileCopyrightText: 2026 stage0.metal contributors
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * bmcsim: Open Session, RAKP 1-4, and the few session slots that a BMC has.
 */
#include "farm.h"
#include <stdlib.h>
#include <string.h>

enum { STATUS_RESOURCES = 0x01, STATUS_SESSION = 0x02, STATUS_ROLE = 0x09, STATUS_LENGTH = 0x0c, STATUS_NAME = 0x0d };
enum { STATUS_CODE = 0x0f, STATUS_SUITE = 0x11, OPEN_ANSWER = 0x11, RAKP2 = 0x13, RAKP4 = 0x15 };

struct session *find_session(struct bmc *b, u32 id)
{
    struct session *s = b->slots[id & (SLOTS - 1)];
    return s && s->id == id && s->state != FREE ? s : NULL;
}

void expire_sessions(struct bmc *b)
{
    for (int i = 0; i < opt.max_sessions; i++) {
        struct session *s = b->slots[i];
        if (s && s->state != FREE && now > s->last) {
            double most = s->state == ACTIVE ? opt.session_timeout_s : opt.half_open_s;
            if (now - s->last > most * 1e9)
                s->state = FREE;
        }
    }
}

void count_sessions(struct bmc *b, int *active, int *half_open)
{
    *active = *half_open = 0;
    expire_sessions(b);
    for (int i = 0; i < opt.max_sessions; i++)
        if (b->slots[i]) {
            *active += b->slots[i]->state == ACTIVE;
            *half_open += b->slots[i]->state == OPENED || b->slots[i]->state == CHALLENGED;
        }
}

static struct session *new_session(struct bmc *b)
{
    int slot = 0;
    expire_sessions(b);
    while (slot < opt.max_sessions && b->slots[slot] && b->slots[slot]->state != FREE)
        slot++;
    if (slot == opt.max_sessions)
        return NULL;
    if (!b->slots[slot] && !(b->slots[slot] = malloc(sizeof **b->slots)))
        die("malloc");
    struct session *s = b->slots[slot];
    memset(s, 0, sizeof *s);
    b->generation = b->generation % 0xffffff + 1;
    s->id = b->generation << 4 | slot;
    s->state = OPENED;
    s->last = now;
    return s;
}

static int suite(u8 authentication, u8 integrity, u8 confidentiality) /* 0: none that there is */
{
    static const struct { u8 algorithms[3], number; } suites[] = {
        {{BY_SHA1, 0, 0}, 1}, {{BY_SHA1, 1, 0}, 2}, {{BY_SHA1, 1, 1}, 3},
        {{BY_SHA256, 0, 0}, 15}, {{BY_SHA256, 4, 0}, 16}, {{BY_SHA256, 4, 1}, 17}};
    const u8 asked[3] = {authentication, integrity, confidentiality};
    for (unsigned i = 0; i < sizeof suites / sizeof *suites; i++)
        if (!memcmp(asked, suites[i].algorithms, 3))
            return suites[i].number;
    return 0;
}

static void status(struct bmc *b, struct reply *o, u8 type, u8 tag, u8 code, u32 console_id)
{
    u8 *q = rmcpp_header(o, type, 8);
    memset(q, 0, 8);
    q[0] = tag;
    q[1] = code;
    put32(q + 4, console_id);
    emit(b, o);
}

void open_session(struct bmc *b, struct reply *o, const u8 *p, int length)
{
    b->commands[COUNT_OPEN]++;
    if (length < 32) {
        drop(o);
        return;
    }
    int number = suite(p[12] & 63, p[20] & 63, p[28] & 63), offered = number && opt.suites >> number & 1;
    struct session *s = offered ? new_session(b) : NULL;
    if (!s) {
        status(b, o, OPEN_ANSWER, p[0], offered ? STATUS_RESOURCES : STATUS_SUITE, get32(p + 4));
        return;
    }
    s->console_id = get32(p + 4);
    s->authentication = p[12] & 63;
    s->integrity = p[20] & 63;
    s->confidentiality = p[28] & 63;
    u8 *q = rmcpp_header(o, OPEN_ANSWER, 36);
    memset(q, 0, 12);
    q[0] = p[0];
    q[2] = p[1] & 15 ? p[1] & 15 : 4;
    memcpy(q + 4, p + 4, 4);
    put32(q + 8, s->id);
    memcpy(q + 12, p + 8, 24);
    emit(b, o);
}

static int user_sum(struct bmc *b, struct session *s, const u8 *data, int length, u8 sum[32])
{
    int digest = digest_index(s->authentication);
    return mac_sum(b->badpass ? &s->user->bad[digest] : &s->user->good[digest], data, length, sum);
}

static int put_user(const struct session *s, u8 *place) /* what ends most of what RAKP signs */
{
    place[0] = s->role;
    place[1] = s->name_length;
    memcpy(place + 2, s->name, s->name_length);
    return 2 + s->name_length;
}

static u8 claim(struct session *s, const u8 *p, int length) /* who is it? returns a status */
{
    s->name_length = p[27] <= 16 ? p[27] : 0;
    if (p[27] > 16 || 28 + p[27] > length)
        return STATUS_LENGTH;
    memcpy(s->console_random, p + 8, 16);
    memcpy(s->name, p + 28, s->name_length);
    s->role = p[24];
    s->user = NULL;
    for (int i = 0; i < user_count; i++)
        if (users[i].name_length == s->name_length && !memcmp(users[i].name, s->name, s->name_length))
            s->user = &users[i];
    if (!s->user)
        return STATUS_NAME;
    s->highest = s->role & 15 ? s->role & 15 : s->user->privilege;
    s->privilege = s->highest < 2 ? s->highest : 2;
    return s->highest > s->user->privilege ? STATUS_ROLE : 0;
}

void rakp_1(struct bmc *b, struct reply *o, const u8 *p, int length)
{
    u8 data[80], sum[32];
    b->commands[COUNT_RAKP1]++;
    if (length < 28) {
        drop(o);
        return;
    }
    struct session *s = find_session(b, get32(p + 4));
    if (!s || s->state == ACTIVE) {
        status(b, o, RAKP2, p[0], STATUS_SESSION, 0);
        return;
    }
    u8 refusal = claim(s, p, length);
    if (refusal) {
        b->n.refused++;
        s->state = FREE;
        status(b, o, RAKP2, p[0], refusal, s->console_id);
        return;
    }
    random_bytes(s->random, 16);
    put32(data, s->console_id);
    put32(data + 4, s->id);
    memcpy(data + 8, s->console_random, 16);
    memcpy(data + 24, s->random, 16);
    memcpy(data + 40, b->guid, 16);
    int code = user_sum(b, s, data, 56 + put_user(s, data + 56), sum);
    u8 *q = rmcpp_header(o, RAKP2, 40 + code);
    memset(q, 0, 8);
    q[0] = p[0];
    put32(q + 4, s->console_id);
    memcpy(q + 8, s->random, 16);
    memcpy(q + 24, b->guid, 16);
    memcpy(q + 40, sum, code);
    s->state = CHALLENGED;
    s->last = now;
    if (emit(b, o) && !s->proved) {
        s->proved = 1;
        b->n.proofs++;
    }
}

/* The session's keys, and the integrity check value of RAKP 4; returns its length. No K_g is set: the user's key. */
static int begin_session(struct bmc *b, struct session *s, u8 value[32])
{
    u8 data[64], sum[32];
    struct mac_key integrity;
    memcpy(data, s->console_random, 16);
    memcpy(data + 16, s->random, 16);
    int full = user_sum(b, s, data, 32 + put_user(s, data + 32), sum);
    mac_init(&integrity, s->authentication, sum, full);
    memset(data, 1, 20);
    mac_sum(&integrity, data, 20, sum);
    mac_init(&s->k1, s->authentication, sum, full);
    memset(data, 2, 20);
    mac_sum(&integrity, data, 20, sum);
    AES_set_encrypt_key(sum, 128, &s->encrypt);
    AES_set_decrypt_key(sum, 128, &s->decrypt);
    memcpy(data, s->console_random, 16);
    put32(data + 16, s->id);
    memcpy(data + 20, b->guid, 16);
    mac_sum(&integrity, data, 36, value);
    return s->authentication == BY_SHA256 ? 16 : 12;
}

static int right_code(struct bmc *b, struct session *s, const u8 *p, int length)
{
    u8 data[48], sum[32];
    memcpy(data, s->random, 16);
    put32(data + 16, s->console_id);
    int code = user_sum(b, s, data, 20 + put_user(s, data + 20), sum);
    return length >= 8 + code && !memcmp(sum, p + 8, code);
}

void rakp_3(struct bmc *b, struct reply *o, const u8 *p, int length)
{
    u8 value[32];
    b->commands[COUNT_RAKP3]++;
    struct session *s = length < 8 ? NULL : find_session(b, get32(p + 4));
    if (length < 8 || (s && p[1])) { /* a console that gives up gets no answer */
        if (s)
            s->state = FREE;
        drop(o);
        return;
    }
    if (!s || s->state == OPENED || (s->state == ACTIVE && opt.strict_rakp)) {
        status(b, o, RAKP4, p[0], STATUS_SESSION, s ? s->console_id : 0);
        return;
    }
    if (!right_code(b, s, p, length)) {
        b->n.refused++;
        s->state = FREE;
        status(b, o, RAKP4, p[0], STATUS_CODE, s->console_id);
        return;
    }
    int code = begin_session(b, s, value);
    b->n.logins += s->state != ACTIVE;
    s->state = ACTIVE;
    s->last = now;
    u8 *q = rmcpp_header(o, RAKP4, 8 + code);
    memset(q, 0, 8);
    q[0] = p[0];
    put32(q + 4, s->console_id);
    memcpy(q + 8, value, code);
    emit(b, o);
}
