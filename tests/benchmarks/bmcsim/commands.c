/* SPDX-FileCopyrightText: 2026 stage0.metal contributors
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * bmcsim: the table of commands; those of the application, chassis and transport network functions.
 */
#include "farm.h"
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { OPERATOR = 3, ADMINISTRATOR = 4, CC_INVALID = 0xc1, CC_LENGTH = 0xc7, CC_FIELD = 0xcc, CC_PRIVILEGE = 0xd4 };
enum { CC_STATE = 0xd5, CC_NO_PARAMETER = 0x80, TABLES = 4, MOST_COMMANDS = 128 };

static const char *const framing[] = {"other", "ping", "open_session", "rakp1", "rakp3"};
static const struct command *listed[MOST_COMMANDS];
static u8 places[64][256];
static int listed_count;

void index_commands(void)
{
    const struct command *const tables[TABLES] = {app_commands, chassis_commands, storage_commands, transport_commands};
    listed_count = COUNT_COMMANDS;
    for (int i = 0; i < TABLES; i++)
        for (const struct command *one = tables[i]; one->name && listed_count < MOST_COMMANDS; one++) {
            places[one->netfn][one->number] = listed_count;
            listed[listed_count++] = one;
        }
}

int command_count(void) { return listed_count; }

const char *command_name(int place) { return place < COUNT_COMMANDS ? framing[place] : listed[place]->name; }

int refuse(struct call *c, u8 completion)
{
    c->out[0] = completion;
    return 1;
}

int run_command(struct call *c, u8 netfn, u8 number)
{
    int place = places[netfn & 63][number];
    const struct command *command = listed[place];
    c->b->commands[place]++;
    if (!command)
        return refuse(c, c->s ? CC_INVALID : CC_PRIVILEGE);
    if (command->privilege && (!c->s || c->s->privilege < command->privilege))
        return refuse(c, CC_PRIVILEGE);
    if (c->length < command->least)
        return refuse(c, CC_LENGTH);
    settle_power(c->b);
    c->out[0] = 0;
    return command->run(c);
}

static int say(struct call *c, const void *data, int length)
{
    memcpy(c->out + 1, data, length);
    return 1 + length;
}

static int done(struct call *c) { (void)c; return 1; }

static int device_id(struct call *c)
{
    static const u8 begin[] = {0x20, 0x81, 0x02, 0x17, 0x02, 0x8f};
    say(c, begin, sizeof begin);
    put16(c->out + 7, opt.manufacturer);
    c->out[9] = opt.manufacturer >> 16;
    put16(c->out + 10, opt.product);
    put32(c->out + 12, 0);
    return 16;
}

static int self_test(struct call *c) { return say(c, "\x55\x00", 2); }
static int guid(struct call *c) { return say(c, c->b->guid, 16); }

static int auth_caps(struct call *c)
{
    int extended = c->data[0] & 0x80;
    const u8 said[8] = {1, extended ? 0x84 : 0x04, 0x04, extended ? 0x02 : 0};
    return say(c, said, sizeof said);
}

static int set_privilege(struct call *c)
{
    u8 wanted = c->data[0] & 15;
    if (wanted == 1 || wanted > 5)
        return refuse(c, CC_FIELD);
    if (wanted > c->s->highest)
        return refuse(c, 0x81);
    if (wanted)
        c->s->privilege = wanted;
    return say(c, &c->s->privilege, 1);
}

static int close_session(struct call *c)
{
    struct session *s = find_session(c->b, get32(c->data));
    if (!s)
        return refuse(c, 0x87);
    s->state = s == c->s ? CLOSING : FREE; /* its own: free when the answer has been sealed */
    return done(c);
}

static int session_info(struct call *c)
{
    const u8 said[6] = {1, opt.max_sessions, 1, 2, c->s->privilege, 0x11};
    return say(c, said, sizeof said);
}

static int channel_access(struct call *c) { return say(c, "\x22\x04", 2); }
static int channel_info(struct call *c) { return say(c, "\x01\x04\x01\x81\xf2\x1b\x00\x00\x00", 9); }

static int user_access(struct call *c)
{
    const u8 said[4] = {10, 2, 1, (c->data[1] & 63) == 2 ? 0x34 : 0x0f};
    return say(c, said, sizeof said);
}

static int user_name(struct call *c)
{
    char name[16] = "";
    int id = c->data[0] & 63;
    if (id >= 2 && id - 2 < user_count)
        memcpy(name, users[id - 2].name, users[id - 2].name_length);
    return say(c, name, sizeof name);
}

static int cipher_suites(struct call *c)
{
    static const struct { u8 number, authentication, integrity, confidentiality; } known[] = {
        {1, 1, 0, 0}, {2, 1, 1, 0}, {3, 1, 1, 1}, {15, 3, 0, 0}, {16, 3, 4, 0}, {17, 3, 4, 1}};
    u8 all[64], said[17] = {1};
    int length = 0, from = (c->data[2] & 63) * 16;
    for (unsigned i = 0; i < sizeof known / sizeof *known; i++)
        if (opt.suites >> known[i].number & 1) {
            const u8 record[5] = {0xc0, known[i].number, known[i].authentication, 0x40 | known[i].integrity,
                                  0x80 | known[i].confidentiality};
            memcpy(all + length, record, 5);
            length += 5;
        }
    int some = length - from < 0 ? 0 : length - from > 16 ? 16 : length - from;
    if (some)
        memcpy(said + 1, all + from, some);
    return say(c, said, 1 + some);
}

const struct command app_commands[] = {
    {0x06, 0x01, 0, 1, "get_device_id", device_id},
    {0x06, 0x02, 0, ADMINISTRATOR, "cold_reset", done},
    {0x06, 0x04, 0, 1, "self_test", self_test},
    {0x06, 0x08, 0, 0, "device_guid", guid},
    {0x06, 0x37, 0, 0, "system_guid", guid},
    {0x06, 0x38, 2, 0, "auth_caps", auth_caps},
    {0x06, 0x3b, 1, 1, "set_priv", set_privilege},
    {0x06, 0x3c, 4, 1, "close_session", close_session},
    {0x06, 0x3d, 0, 1, "session_info", session_info},
    {0x06, 0x41, 0, 1, "channel_access", channel_access},
    {0x06, 0x42, 0, 1, "channel_info", channel_info},
    {0x06, 0x44, 2, 1, "user_access", user_access},
    {0x06, 0x46, 1, 1, "user_name", user_name},
    {0x06, 0x54, 3, 0, "cipher_suites", cipher_suites},
    {0},
};

static int chassis_caps(struct call *c) { return say(c, "\x00\x20\x20\x20\x20", 5); }

static int chassis_status(struct call *c)
{
    const struct bmc *b = c->b;
    const u8 said[4] = {b->power | b->policy << 5, b->power ? 0x10 : 0, 0x40 | (b->identify ? 0x10 : 0), 0};
    return say(c, said, sizeof said);
}

void settle_power(struct bmc *b)
{
    if (b->power_at && now >= b->power_at) {
        b->power = b->next_power;
        b->power_at = 0;
    }
}

static void set_power(struct bmc *b, int on)
{
    b->next_power = on;
    b->power_at = now + (u64)(opt.power_delay_ms * 1e6);
    settle_power(b);
}

static int chassis_control(struct call *c)
{
    enum { DOWN, UP, CYCLE, RESET, DIAGNOSE, SHUTDOWN };
    struct bmc *b = c->b;
    int action = c->data[0] & 15;
    if (action > SHUTDOWN)
        return refuse(c, CC_FIELD);
    if ((action == CYCLE || action == RESET) && !b->power)
        return refuse(c, CC_STATE);
    b->n.power_commands++;
    if (action == DOWN || action == UP || action == SHUTDOWN)
        set_power(b, action == UP);
    int boots = action == UP || action == CYCLE || action == RESET;
    if (boots && !(b->boot[5][0] & 0x40))
        b->boot[5][0] &= 0x7f; /* an override for one boot is used up */
    return done(c);
}

static int chassis_identify(struct call *c)
{
    int forced = c->length > 1 && c->data[1] & 1;
    c->b->identify = forced || c->length == 0 || c->data[0] > 0;
    return done(c);
}

static int restore_policy(struct call *c)
{
    if ((c->data[0] & 7) < 3)
        c->b->policy = c->data[0] & 7;
    return say(c, "\x07", 1);
}

static int restart_cause(struct call *c) { return say(c, "\x01\x01", 2); }

static int set_boot(struct call *c)
{
    struct bmc *b = c->b;
    int parameter = c->data[0] & 0x7f, length = c->length - 1 > 16 ? 16 : c->length - 1;
    if (parameter >= BOOT_PARAMETERS)
        return refuse(c, CC_NO_PARAMETER);
    b->boot_valid &= ~(1 << parameter);
    if (c->data[0] & 0x80)
        b->boot_valid |= 1 << parameter;
    if (length) {
        memset(b->boot[parameter], 0, 16);
        memcpy(b->boot[parameter], c->data + 1, length);
        if (length > b->boot_length[parameter])
            b->boot_length[parameter] = length;
    }
    return done(c);
}

static int get_boot(struct call *c)
{
    static const u8 lengths[BOOT_PARAMETERS] = {1, 1, 1, 1, 2, 5, 9, 16};
    struct bmc *b = c->b;
    int parameter = c->data[0] & 0x7f;
    u8 said[18] = {1};
    if (parameter >= BOOT_PARAMETERS)
        return refuse(c, CC_NO_PARAMETER);
    int length = b->boot_length[parameter] > lengths[parameter] ? b->boot_length[parameter] : lengths[parameter];
    said[1] = parameter | (b->boot_valid >> parameter & 1 ? 0x80 : 0);
    memcpy(said + 2, b->boot[parameter], length);
    return say(c, said, 2 + length);
}

static int power_on_hours(struct call *c)
{
    u8 said[5] = {60};
    put32(said + 1, 1000 + c->b->number);
    return say(c, said, sizeof said);
}

static int dcmi_power(struct call *c)
{
    u8 said[18] = {0xdc};
    if (c->data[0] != 0xdc)
        return refuse(c, CC_INVALID);
    int watts = c->b->power ? 180 + (int)(c->b->number % 40) : 12;
    put16(said + 1, watts);
    put16(said + 3, watts - 10);
    put16(said + 5, watts + 60);
    put16(said + 7, watts);
    put32(said + 9, time(NULL));
    put32(said + 13, 1000);
    said[17] = 0x40;
    return say(c, said, sizeof said);
}

const struct command chassis_commands[] = {
    {0x00, 0x00, 0, 1, "chassis_caps", chassis_caps},
    {0x00, 0x01, 0, 1, "chassis_status", chassis_status},
    {0x00, 0x02, 1, OPERATOR, "chassis_control", chassis_control},
    {0x00, 0x04, 0, 1, "chassis_identify", chassis_identify},
    {0x00, 0x06, 1, OPERATOR, "restore_policy", restore_policy},
    {0x00, 0x07, 0, 1, "restart_cause", restart_cause},
    {0x00, 0x08, 1, OPERATOR, "set_boot", set_boot},
    {0x00, 0x09, 3, 1, "get_boot", get_boot},
    {0x00, 0x0f, 0, 1, "poh", power_on_hours},
    {0x2c, 0x02, 1, 1, "dcmi_power", dcmi_power},
    {0},
};

static int lan_get(struct call *c)
{
    enum { SET_IN_PROGRESS = 0, ADDRESS = 3, SOURCE, MAC, MASK, GATEWAY = 12, VLAN = 20 };
    u32 address = bmc_address(c->b->number);
    u8 said[7] = {0x11};
    switch (c->data[1]) {
    case SET_IN_PROGRESS: return say(c, said, 2);
    case ADDRESS: put32(said + 1, htonl(address)); return say(c, said, 5);
    case SOURCE: said[1] = 1; return say(c, said, 2);
    case MAC:
        memcpy(said + 1, "\x02\xb3\xc0", 3);
        for (int i = 0; i < 3; i++)
            said[4 + i] = c->b->number >> (16 - 8 * i);
        return say(c, said, 7);
    case MASK: put32(said + 1, htonl(0xff000000)); return say(c, said, 5);
    case GATEWAY: put32(said + 1, htonl((address & 0xffffff00) | 254)); return say(c, said, 5);
    case VLAN: return say(c, said, 3);
    }
    return refuse(c, CC_NO_PARAMETER);
}

const struct command transport_commands[] = {
    {0x0c, 0x02, 4, 1, "lan_get", lan_get},
    {0},
};
