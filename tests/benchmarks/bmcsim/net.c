/* SPDX-FileCopyrightText: 2026 stage0.metal contributors
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * bmcsim: one socket for all BMCs. IP_PKTINFO tells which address was asked, and sets the reply's source.
 */
#include "farm.h"
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

struct totals totals;
static int fd;
static struct reply *unused;
static struct reply **waiting; /* a heap by due */
static u32 waiting_count, waiting_room;
static struct reply *batch[BATCH];
static int batch_count;

union source {
    char room[CMSG_SPACE(sizeof(struct in_pktinfo))];
    struct cmsghdr header;
};

u64 clock_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000ull + t.tv_nsec;
}

int open_socket(void)
{
    int yes = 1, room = 64 << 20;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(opt.port)};
    fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        die("socket");
    setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &yes, sizeof yes);
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room))
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room))
        setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
    if (bind(fd, (void *)&address, sizeof address))
        die("bind");
    return fd;
}

static struct reply *new_reply(void)
{
    if (!unused) {
        struct reply *block = malloc(sizeof *block * 256);
        if (!block)
            die("malloc");
        for (int i = 0; i < 256; i++)
            drop(&block[i]);
    }
    struct reply *o = unused;
    unused = o->next;
    return o;
}

void drop(struct reply *o)
{
    o->next = unused;
    unused = o;
}

static void wait_for(struct reply *o)
{
    if (waiting_count == waiting_room) {
        waiting_room = waiting_room ? waiting_room * 2 : 4096;
        waiting = realloc(waiting, waiting_room * sizeof *waiting);
        if (!waiting)
            die("realloc");
    }
    u32 i = waiting_count++;
    for (; i && waiting[(i - 1) / 2]->due > o->due; i = (i - 1) / 2)
        waiting[i] = waiting[(i - 1) / 2];
    waiting[i] = o;
    if (waiting_count > totals.most_waiting)
        totals.most_waiting = waiting_count;
}

static struct reply *take_first(void)
{
    struct reply *first = waiting[0], *last = waiting[--waiting_count];
    u32 i = 0, child;
    while ((child = 2 * i + 1) < waiting_count) {
        if (child + 1 < waiting_count && waiting[child + 1]->due < waiting[child]->due)
            child++;
        if (waiting[child]->due >= last->due)
            break;
        waiting[i] = waiting[child];
        i = child;
    }
    waiting[i] = last;
    return first;
}

static void set_message(struct msghdr *message, struct sockaddr_in *peer, struct iovec *part, union source *source)
{
    message->msg_name = peer;
    message->msg_namelen = sizeof *peer;
    message->msg_iov = part;
    message->msg_iovlen = 1;
    message->msg_control = source;
    message->msg_controllen = sizeof source->room;
}

static struct mmsghdr outgoing[BATCH];

static void send_batch(void)
{
    for (int done = 0; done < batch_count;) {
        int sent = sendmmsg(fd, outgoing + done, batch_count - done, 0);
        if (sent > 0) {
            totals.sent += sent;
            done += sent;
        } else if (errno != EINTR) {
            done++; /* this one cannot be sent: the asker has gone */
        }
    }
    for (int i = 0; i < batch_count; i++)
        drop(batch[i]);
    batch_count = 0;
}

static void send_soon(struct reply *o)
{
    static struct iovec parts[BATCH];
    static union source sources[BATCH];
    struct in_pktinfo info = {.ipi_spec_dst.s_addr = o->from};
    int i = batch_count++;
    batch[i] = o;
    parts[i] = (struct iovec){o->bytes, o->length};
    sources[i].header.cmsg_len = CMSG_LEN(sizeof info);
    sources[i].header.cmsg_level = IPPROTO_IP;
    sources[i].header.cmsg_type = IP_PKTINFO;
    memcpy(CMSG_DATA(&sources[i].header), &info, sizeof info);
    set_message(&outgoing[i].msg_hdr, &o->to, &parts[i], &sources[i]);
    if (batch_count == BATCH)
        send_batch();
}

int emit(struct bmc *b, struct reply *o)
{
    if (opt.loss > 0 && random_fraction() < opt.loss) {
        totals.lost_out++;
        b->n.lost++;
        drop(o);
        return 0;
    }
    double late_ms = opt.latency_ms;
    if (opt.jitter_ms > 0)
        late_ms += random_fraction() * opt.jitter_ms;
    if (opt.slow_every && b->number % opt.slow_every == 0)
        late_ms += opt.slow_ms;
    u64 begin = now;
    if (opt.service_ms > 0) { /* a BMC works on one packet at a time */
        begin = (b->busy_until > now ? b->busy_until : now) + (u64)(opt.service_ms * 1e6);
        b->busy_until = begin;
    }
    b->n.sent++;
    o->due = begin + (u64)(late_ms * 1e6);
    if (o->due > now)
        wait_for(o);
    else
        send_soon(o);
    return 1;
}

int next_due(u64 *due)
{
    if (waiting_count)
        *due = waiting[0]->due;
    return waiting_count > 0;
}

void send_due(void)
{
    now = clock_ns();
    while (waiting_count && waiting[0]->due <= now)
        send_soon(take_first());
    if (batch_count)
        send_batch();
}

static u32 asked_address(struct msghdr *message)
{
    for (struct cmsghdr *h = CMSG_FIRSTHDR(message); h; h = CMSG_NXTHDR(message, h))
        if (h->cmsg_level == IPPROTO_IP && h->cmsg_type == IP_PKTINFO)
            return ntohl(((struct in_pktinfo *)CMSG_DATA(h))->ipi_addr.s_addr);
    return 0;
}

static void receive_one(struct msghdr *message, u8 *packet, int length)
{
    u32 asked = asked_address(message), offset = asked - opt.base, place = offset / 256 * opt.per_net + offset % 256;
    if (asked < opt.base || offset % 256 >= opt.per_net || place >= opt.count) {
        totals.stray++;
        return;
    }
    struct bmc *b = &farm[place];
    b->n.received++;
    if (b->dead)
        return;
    if (opt.loss > 0 && random_fraction() < opt.loss) {
        totals.lost_in++;
        b->n.lost++;
        return;
    }
    struct reply *o = new_reply();
    o->to = *(struct sockaddr_in *)message->msg_name;
    o->from = htonl(asked);
    handle_packet(b, o, packet, length);
}

void receive_all(void)
{
    static u8 packets[BATCH][PACKET];
    static struct iovec parts[BATCH];
    static struct mmsghdr messages[BATCH];
    static struct sockaddr_in askers[BATCH];
    static union source sources[BATCH];
    u64 due;
    int received;
    do {
        for (int i = 0; i < BATCH; i++) {
            parts[i] = (struct iovec){packets[i], PACKET};
            set_message(&messages[i].msg_hdr, &askers[i], &parts[i], &sources[i]);
        }
        received = recvmmsg(fd, messages, BATCH, MSG_DONTWAIT, NULL);
        now = clock_ns();
        if (received > 0)
            totals.received += received;
        for (int i = 0; i < received; i++)
            receive_one(&messages[i].msg_hdr, packets[i], messages[i].msg_len);
    } while (received == BATCH && !(next_due(&due) && due <= now));
}
