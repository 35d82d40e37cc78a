/* SPDX-FileCopyrightText: 2026 stage0.metal contributors
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * bmcsim: FRU, sensors with their records, and the event log.
 */
#include "farm.h"
#include <string.h>
#include <time.h>

enum { OPERATOR = 3, CC_RESERVATION = 0xc5, CC_PLACE = 0xc9, CC_NOT_THERE = 0xcb };
enum { THRESHOLD = 1, RECORDS = 8, RECORD = 80, FRU = 256, EPOCH = 1735689600 };

static const struct sensor {
    u8 number, type, reading, entity, unit, factor, exponent;
    const char *name;
    u8 base, lower, upper, needs_power;
} sensors[] = {
    {1, 0x01, THRESHOLD, 3, 1, 1, 0, "CPU1 Temp", 48, 5, 95, 1},
    {2, 0x01, THRESHOLD, 64, 1, 1, 0, "Inlet Temp", 22, 3, 42, 0},
    {3, 0x02, THRESHOLD, 7, 4, 6, 0xe, "12V", 201, 180, 220, 1},
    {4, 0x04, THRESHOLD, 29, 18, 60, 0, "Fan1", 90, 10, 255, 1},
    {5, 0x0b, THRESHOLD, 10, 6, 4, 0, "PSU1 Input", 45, 0, 250, 1},
    {6, 0x08, 0x6f, 10, 0, 0, 0, "PSU1 Status", 1, 0, 0, 0},
};
enum { SENSORS = sizeof sensors / sizeof *sensors };
static u8 records[RECORDS][RECORD];
static int record_length[RECORDS], record_count;

static u8 *new_record(u8 type)
{
    u8 *r = records[record_count];
    put16(r, record_count + 1);
    r[2] = 0x51;
    r[3] = type;
    r[5] = 0x20;
    return r;
}

static void end_record(u8 *r, int name_at, const char *name)
{
    int length = strlen(name), end = name_at + 1 + length;
    r[name_at] = 0xc0 | length;
    memcpy(r + name_at + 1, name, length);
    r[4] = end - 5;
    record_length[record_count++] = end;
}

static void full_record(const struct sensor *s)
{
    static const u8 masks[6] = {0x04, 0x12, 0x00, 0x12, 0x12, 0x12};
    u8 *r = new_record(0x01);
    r[7] = s->number, r[8] = s->entity, r[9] = 1, r[10] = 0x7f, r[11] = 0x68, r[12] = s->type, r[13] = s->reading;
    memcpy(r + 14, masks, sizeof masks);
    r[21] = s->unit, r[24] = s->factor, r[29] = s->exponent << 4;
    r[30] = 7, r[31] = s->base, r[32] = s->upper, r[33] = s->lower, r[34] = 255;
    r[36] = 255, r[37] = r[38] = s->upper, r[40] = r[41] = s->lower, r[42] = r[43] = 2;
    end_record(r, 47, s->name);
}

static void compact_record(const struct sensor *s)
{
    u8 *r = new_record(0x02);
    r[7] = s->number, r[8] = s->entity, r[9] = 1, r[10] = 0x7f, r[11] = 0x40, r[12] = s->type, r[13] = s->reading;
    for (int i = 14; i < 20; i += 2)
        put16(r + i, 0x000b);
    r[20] = 0xc0, r[23] = 1;
    end_record(r, 31, s->name);
}

void build_sensors(void)
{
    for (int i = 0; i < SENSORS; i++)
        (sensors[i].reading == THRESHOLD ? full_record : compact_record)(&sensors[i]);
    u8 *r = new_record(0x12); /* the management controller */
    r[8] = 0x8f, r[12] = 6, r[13] = 1;
    end_record(r, 15, "bmcsim");
}

static int put_text(u8 *place, const char *text)
{
    int length = strlen(text);
    place[0] = 0xc0 | length;
    memcpy(place + 1, text, length);
    return length + 1;
}

static int end_area(u8 *area, int length)
{
    area[0] = 1;
    area[length++] = 0xc1;
    while ((length + 1) % 8)
        area[length++] = 0;
    area[1] = (length + 1) / 8;
    area[length] = checksum(area, length);
    return length + 1;
}

static int build_fru(const struct bmc *b, u8 fru[FRU])
{
    char text[40];
    int end = 8, length;
    u8 *area = fru + end;
    memset(fru, 0, FRU);
    fru[0] = 1;
    fru[2] = end / 8;
    area[2] = 0x17;
    length = 3 + put_text(area + 3, "CH-1U");
    snprintf(text, sizeof text, "CHS%06u", b->number);
    length += put_text(area + length, text);
    end += end_area(area, length);
    fru[3] = end / 8;
    area = fru + end;
    area[2] = 25, area[3] = 0x40, area[4] = 0x26, area[5] = 0xd5;
    snprintf(text, sizeof text, "BRD%06u", b->number);
    const char *board[] = {"Simco", "SimBoard X1", text, "SB-X1-01", "fru1"};
    length = 6;
    for (int i = 0; i < 5; i++)
        length += put_text(area + length, board[i]);
    end += end_area(area, length);
    fru[4] = end / 8;
    area = fru + end;
    area[2] = 25;
    char serial[16], asset[16];
    snprintf(serial, sizeof serial, "SRV%06u", b->number);
    snprintf(asset, sizeof asset, "ASSET%05u", b->number);
    const char *product[] = {"Simco", "SimServer 1000", "SS-1000", "1.0", serial, asset, "fru1"};
    length = 3;
    for (int i = 0; i < 7; i++)
        length += put_text(area + length, product[i]);
    end += end_area(area, length);
    fru[7] = checksum(fru, 7);
    return end;
}

static int fru_info(struct call *c)
{
    u8 fru[FRU];
    if (c->data[0])
        return refuse(c, CC_NOT_THERE);
    put16(c->out + 1, build_fru(c->b, fru));
    c->out[3] = 0;
    return 4;
}

static int fru_read(struct call *c)
{
    u8 fru[FRU];
    if (c->data[0])
        return refuse(c, CC_NOT_THERE);
    int length = build_fru(c->b, fru), from = get16(c->data + 1), some = c->data[3];
    if (from >= length)
        return refuse(c, CC_PLACE);
    if (from + some > length)
        some = length - from;
    c->out[1] = some;
    memcpy(c->out + 2, fru + from, some);
    return 2 + some;
}

static int repository_info(struct call *c, int entries, int room, u32 changed)
{
    c->out[1] = 0x51;
    put16(c->out + 2, entries);
    put16(c->out + 4, room);
    put32(c->out + 6, changed);
    put32(c->out + 10, 0);
    c->out[14] = 0x02;
    return 15;
}

/* A piece of record number of count, as both repositories hand it out. */
static int give_piece(struct call *c, int number, int count, const u8 *record, int length)
{
    int from = c->data[4], some = c->data[5];
    if (from >= length)
        return refuse(c, CC_PLACE);
    if (some == 0xff || from + some > length)
        some = length - from;
    put16(c->out + 1, number == count ? 0xffff : number + 1);
    memcpy(c->out + 3, record + from, some);
    return 3 + some;
}

static int wanted_record(const u8 *data, int count)
{
    int number = get16(data + 2);
    return number == 0 ? 1 : number == 0xffff ? count : number;
}

static int sdr_info(struct call *c) { return repository_info(c, record_count, 0x4000, EPOCH); }

static int reserve(struct call *c, u16 *reservation)
{
    put16(c->out + 1, ++*reservation);
    return 3;
}

static int sdr_reserve(struct call *c) { return reserve(c, &c->b->sdr_reservation); }
static int sel_reserve(struct call *c) { return reserve(c, &c->b->sel_reservation); }

static int sdr_get(struct call *c)
{
    int number = wanted_record(c->data, record_count);
    if (number > record_count)
        return refuse(c, CC_NOT_THERE);
    if (c->data[4] && get16(c->data) != c->b->sdr_reservation)
        return refuse(c, CC_RESERVATION);
    return give_piece(c, number, record_count, records[number - 1], record_length[number - 1]);
}

static int sel_info(struct call *c)
{
    return repository_info(c, c->b->events, 0x2000, c->b->events ? EPOCH + 120 : 0);
}

static int sel_get(struct call *c)
{
    static const u8 happened[2][6] = {{0x09, 1, 0x6f, 0, 0xff, 0xff}, {0x04, 4, 0x01, 0x52, 8, 10}};
    int number = wanted_record(c->data, c->b->events);
    u8 record[16] = {0};
    if (!c->b->events || number > c->b->events)
        return refuse(c, CC_NOT_THERE);
    put16(record, number);
    record[2] = 2; /* a system event: the power unit went off, a fan became critical */
    put32(record + 3, EPOCH + number * 60);
    record[7] = 0x20;
    record[9] = 4;
    memcpy(record + 10, happened[number - 1], 6);
    return give_piece(c, number, c->b->events, record, sizeof record);
}

static int sel_clear(struct call *c)
{
    if (get16(c->data) != c->b->sel_reservation)
        return refuse(c, CC_RESERVATION);
    if (c->data[5] == 0xaa)
        c->b->events = 0;
    c->out[1] = 1;
    return 2;
}

static int sel_time(struct call *c)
{
    put32(c->out + 1, time(NULL));
    return 5;
}

static const struct sensor *find_sensor(u8 number)
{
    for (int i = 0; i < SENSORS; i++)
        if (sensors[i].number == number)
            return &sensors[i];
    return NULL;
}

static int sensor_thresholds(struct call *c)
{
    const struct sensor *s = find_sensor(c->data[0]);
    if (!s || s->reading != THRESHOLD)
        return refuse(c, CC_NOT_THERE);
    const u8 said[7] = {0x12, 0, s->lower, 0, 0, s->upper, 0};
    memcpy(c->out + 1, said, sizeof said);
    return 8;
}

static int sensor_events(struct call *c)
{
    c->out[1] = 0xc0;
    return 2;
}

static int sensor_reading(struct call *c)
{
    const struct sensor *s = find_sensor(c->data[0]);
    if (!s)
        return refuse(c, CC_NOT_THERE);
    u8 said[4] = {0, 0xc0, 0xc0, 0x80};
    int length = 3;
    if (s->reading != THRESHOLD) {
        said[2] = 1; /* it is there */
        length = 4;
    } else if (s->needs_power && !c->b->power) {
        said[1] = 0xe0;
    } else {
        said[0] = s->base + (int)((c->b->number * 7 + s->number * 3) % 9) - 4;
    }
    memcpy(c->out + 1, said, length);
    return 1 + length;
}

const struct command storage_commands[] = {
    {0x0a, 0x10, 1, 1, "fru_info", fru_info},
    {0x0a, 0x11, 4, 1, "fru_read", fru_read},
    {0x0a, 0x20, 0, 1, "sdr_info", sdr_info},
    {0x0a, 0x22, 0, 1, "sdr_reserve", sdr_reserve},
    {0x0a, 0x23, 6, 1, "sdr_get", sdr_get},
    {0x0a, 0x40, 0, 1, "sel_info", sel_info},
    {0x0a, 0x42, 0, 1, "sel_reserve", sel_reserve},
    {0x0a, 0x43, 6, 1, "sel_get", sel_get},
    {0x0a, 0x47, 6, OPERATOR, "sel_clear", sel_clear},
    {0x0a, 0x48, 0, 1, "sel_time", sel_time},
    {0x04, 0x27, 1, 1, "sensor_thresholds", sensor_thresholds},
    {0x04, 0x2b, 1, 1, "sensor_events", sensor_events},
    {0x04, 0x2d, 1, 1, "sensor_reading", sensor_reading},
    {0},
};
