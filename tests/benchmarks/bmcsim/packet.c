/* SPDX-FileCopyrightText: 2026 stage0.metal contributors
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * bmcsim: RMCP, ASF, IPMI 1.5 and RMCP+ framing, with the integrity and confidentiality of a session.
 */
#include "farm.h"
#include <string.h>

enum { RMCP_ASF = 6, RMCP_IPMI = 7, FORMAT_15 = 0, FORMAT_RMCPP = 6, ENCRYPTED = 0x80, AUTHENTICATED = 0x40 };
enum { PAYLOAD_IPMI = 0, PAYLOAD_OPEN = 0x10, PAYLOAD_RAKP1 = 0x12, PAYLOAD_RAKP3 = 0x14, ANSWER = 512 };

u8 *rmcpp_header(struct reply *o, u8 payload_type, int length)
{
    static const u8 begin[] = {6, 0, 0xff, RMCP_IPMI, FORMAT_RMCPP};
    memset(o->bytes, 0, 16);
    memcpy(o->bytes, begin, sizeof begin);
    o->bytes[5] = payload_type;
    put16(o->bytes + 14, length);
    o->length = 16 + length;
    return o->bytes + 16;
}

/* An IPMI message in m, its answer into out; returns the answer's length, 0 for what is no message. */
static int answer_message(struct bmc *b, struct session *s, const u8 *m, int length, u8 *out)
{
    if (length < 7 || checksum(m, 3) || checksum(m + 3, length - 3))
        return 0;
    struct call call = {b, s, m + 6, length - 7, out + 6};
    int said = run_command(&call, m[1] >> 2, m[5]);
    out[0] = m[3];
    out[1] = ((m[1] >> 2) | 1) << 2 | (m[4] & 3);
    out[2] = checksum(out, 2);
    out[3] = m[0];
    out[4] = (m[4] & 0xfc) | (m[1] & 3);
    out[5] = m[5];
    out[6 + said] = checksum(out + 3, 3 + said);
    return 7 + said;
}

static int presence_ping(struct bmc *b, struct reply *o, const u8 *p, int length)
{
    static const u8 pong[] = {6, 0, 0xff, RMCP_ASF, 0, 0, 0x11, 0xbe, 0x40, 0, 0, 16, 0, 0, 0x11, 0xbe, 0, 0, 0, 0, 0x81};
    if (length < 12 || p[8] != 0x80)
        return 0;
    b->commands[COUNT_PING]++;
    memset(o->bytes, 0, 28);
    memcpy(o->bytes, pong, sizeof pong);
    o->bytes[9] = p[9];
    o->length = 28;
    emit(b, o);
    return 1;
}

static int format_15(struct bmc *b, struct reply *o, const u8 *p, int length)
{
    static const u8 begin[] = {6, 0, 0xff, RMCP_IPMI, FORMAT_15};
    if (length < 14 || get32(p + 9) || 14 + p[13] > length)
        return 0;
    int said = answer_message(b, NULL, p + 14, p[13], o->bytes + 14);
    if (!said || said > 255)
        return 0;
    memset(o->bytes, 0, 14);
    memcpy(o->bytes, begin, sizeof begin);
    o->bytes[13] = said;
    o->length = 14 + said;
    emit(b, o);
    return 1;
}

static int outside_session(struct bmc *b, struct reply *o, const u8 *p, int length)
{
    u8 answer[ANSWER];
    switch (p[5]) {
    case PAYLOAD_OPEN: open_session(b, o, p + 16, length); return 1;
    case PAYLOAD_RAKP1: rakp_1(b, o, p + 16, length); return 1;
    case PAYLOAD_RAKP3: rakp_3(b, o, p + 16, length); return 1;
    case PAYLOAD_IPMI: {
        int said = answer_message(b, NULL, p + 16, length, answer);
        if (!said)
            return 0;
        memcpy(rmcpp_header(o, PAYLOAD_IPMI, said), answer, said);
        emit(b, o);
        return 1; }
    }
    return 0;
}

static u8 protection(const struct session *s)
{
    return (s->integrity ? AUTHENTICATED : 0) | (s->confidentiality ? ENCRYPTED : 0);
}

static int code_length(const struct session *s)
{
    return !s->integrity ? 0 : s->authentication == BY_SHA256 ? 16 : 12;
}

static int authentic(struct bmc *b, struct session *s, const u8 *p, int packet, int payload)
{
    u8 sum[32];
    int code = code_length(s);
    if (!code)
        return 1;
    if (packet < 16 + payload + 2 + code)
        return 0;
    mac_sum(&s->k1, p + 4, packet - 4 - code, sum);
    if (!memcmp(sum, p + packet - code, code))
        return 1;
    b->n.bad_packets++;
    return 0;
}

/* Puts the answer, of which there is room for 16 bytes more, into o with the session's protection. */
static void seal(struct session *s, struct reply *o, u8 *answer, int said)
{
    u8 *p = rmcpp_header(o, protection(s), said), vector[16], sum[32];
    int payload = said, code = code_length(s);
    if (s->confidentiality) {
        int pad = (16 - (said + 1) % 16) % 16;
        for (int i = 0; i < pad; i++)
            answer[said + i] = i + 1;
        answer[said + pad] = pad;
        random_bytes(vector, 16);
        memcpy(p, vector, 16);
        AES_cbc_encrypt(answer, p + 16, said + pad + 1, &s->encrypt, vector, AES_ENCRYPT);
        payload = 16 + said + pad + 1;
    } else {
        memcpy(p, answer, said);
    }
    put32(o->bytes + 6, s->console_id);
    put32(o->bytes + 10, ++s->sequence);
    put16(o->bytes + 14, payload);
    int end = 16 + payload;
    if (code) {
        int pad = (4 - (end - 4 + 2) % 4) % 4;
        memset(o->bytes + end, 0xff, pad);
        end += pad;
        o->bytes[end++] = pad;
        o->bytes[end++] = RMCP_IPMI;
        mac_sum(&s->k1, o->bytes + 4, end - 4, sum);
        memcpy(o->bytes + end, sum, code);
        end += code;
    }
    o->length = end;
}

static int in_session(struct bmc *b, struct reply *o, u8 *p, int packet, int payload)
{
    struct session *s = find_session(b, get32(p + 6));
    u8 answer[ANSWER], *message = p + 16, vector[16];
    if (!s || s->state != ACTIVE || (p[5] & 63) != PAYLOAD_IPMI || (p[5] & 0xc0) != protection(s))
        return 0;
    if (!authentic(b, s, p, packet, payload))
        return 0;
    int length = payload;
    if (s->confidentiality) {
        if (payload < 32 || payload % 16)
            return 0;
        memcpy(vector, message, 16);
        message += 16;
        AES_cbc_encrypt(message, message, payload - 16, &s->decrypt, vector, AES_DECRYPT);
        length = payload - 16 - 1 - message[payload - 17];
    }
    s->last = now;
    int said = answer_message(b, s, message, length, answer);
    if (!said)
        return 0;
    seal(s, o, answer, said);
    if (s->state == CLOSING)
        s->state = FREE;
    emit(b, o);
    return 1;
}

static int answered(struct bmc *b, struct reply *o, u8 *p, int length)
{
    if (length < 5 || p[0] != 6)
        return 0;
    if (p[3] == RMCP_ASF)
        return presence_ping(b, o, p, length);
    if (p[3] != RMCP_IPMI)
        return 0;
    if (p[4] == FORMAT_15)
        return format_15(b, o, p, length);
    if (p[4] != FORMAT_RMCPP || length < 16)
        return 0;
    int payload = get16(p + 14);
    if (16 + payload > length)
        return 0;
    return get32(p + 6) ? in_session(b, o, p, length, payload) : outside_session(b, o, p, payload);
}

void handle_packet(struct bmc *b, struct reply *o, u8 *packet, int length)
{
    if (!answered(b, o, packet, length))
        drop(o);
}
