// The floor: the cost of a fan-out or a round trip in a server that only polls, reads, copies and writes once for each
// socket and turn. It has one thread, no checks and no limits. It speaks the protocol of the benchmark's hub, in which the
// first byte of a message gives its kind. A reader that stalls stops it. It prints its address as strowger's log does,
// so that the benchmark can start it like the other servers.
//
//   cc -O3 -o floor floor.c && ./floor
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MAX_CONNS = 70000, READ_SIZE = 1 << 16, ID_SIZE = 8 };

typedef struct {
	uint8_t *bytes;
	size_t len, cap;
} buffer;

typedef struct {
	int fd, upgraded, subscriber, dirty;
	uint32_t id; // of a caller; 0: none yet
	buffer in, out;
} conn;

static conn *by_fd[MAX_CONNS], *by_id[MAX_CONNS], *service;
static conn *dirty[MAX_CONNS]; // have something to write when the turn ends
static int members[MAX_CONNS]; // descriptors of the subscribers
static int dirty_count, member_count;
static uint32_t ids;
static buffer broadcast; // the frames all subscribers get when the turn ends

static void grow(buffer *b, size_t more) {
	if (b->len + more <= b->cap) return;
	b->cap = 2 * (b->len + more);
	b->bytes = realloc(b->bytes, b->cap);
}

static void append(buffer *b, const void *p, size_t n) {
	grow(b, n);
	memcpy(b->bytes + b->len, p, n);
	b->len += n;
}

// frame appends a text frame of two parts.
static void frame(buffer *b, const void *head, size_t head_len, const void *body, size_t body_len) {
	uint64_t n = head_len + body_len;
	uint8_t h[10] = {0x81};
	int size = 2;
	if (n < 126) {
		h[1] = n;
	} else if (n < 65536) {
		h[1] = 126, h[2] = n >> 8, h[3] = n, size = 4;
	} else {
		h[1] = 127, size = 10;
		for (int i = 0; i < 8; i++) h[2 + i] = n >> (56 - 8 * i);
	}
	append(b, h, size);
	append(b, head, head_len);
	append(b, body, body_len);
}

static void say(conn *c, const void *head, size_t head_len, const void *body, size_t body_len) {
	frame(&c->out, head, head_len, body, body_len);
	if (!c->dirty) c->dirty = 1, dirty[dirty_count++] = c;
}

static void write_all(conn *c, const uint8_t *p, size_t n) {
	while (n > 0) {
		ssize_t w = write(c->fd, p, n);
		if (w < 0 && errno != EAGAIN) return;
		if (w < 0) {
			usleep(100);
			continue;
		}
		p += w, n -= w;
	}
}

static void message(conn *c, uint8_t *p, size_t n) {
	if (n == 0) return;
	switch (p[0]) {
	case 'S': // be a subscriber
		c->subscriber = 1;
		members[member_count++] = c->fd;
		say(c, p, 1, p + 1, n - 1);
		break;
	case 'V': // be the service
		service = c;
		say(c, p, 1, p + 1, n - 1);
		break;
	case 'E': // to all subscribers
		frame(&broadcast, p + 1, 0, p + 1, n - 1);
		break;
	case 'Q': { // to the service, with the caller's id
		if (c->id == 0) c->id = ++ids, by_id[c->id] = c;
		char head[ID_SIZE + 2];
		snprintf(head, sizeof head, "Q%08x", c->id);
		if (service) say(service, head, ID_SIZE + 1, p + 1, n - 1);
		break;
	}
	case 'R': { // to the caller whose id it has
		char id[ID_SIZE + 1] = {0};
		if (n < 1 + ID_SIZE) return;
		memcpy(id, p + 1, ID_SIZE);
		conn *to = by_id[strtoul(id, NULL, 16) % MAX_CONNS];
		if (to) say(to, p + 1 + ID_SIZE, 0, p + 1 + ID_SIZE, n - 1 - ID_SIZE);
		break;
	}
	case 'L': // back to who sent it
		say(c, p + 1, 0, p + 1, n - 1);
	}
}

static void sha1_block(uint32_t *h, const uint8_t *p) {
	uint32_t w[80], a = h[0], b = h[1], c = h[2], d = h[3], e = h[4];
	for (int i = 0; i < 16; i++) w[i] = (uint32_t)p[4 * i] << 24 | p[4 * i + 1] << 16 | p[4 * i + 2] << 8 | p[4 * i + 3];
	for (int i = 16; i < 80; i++) {
		uint32_t t = w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16];
		w[i] = t << 1 | t >> 31;
	}
	for (int i = 0; i < 80; i++) {
		uint32_t f = i < 20 ? (b & c) | (~b & d) : i < 40 ? b ^ c ^ d : i < 60 ? (b & c) | (b & d) | (c & d) : b ^ c ^ d;
		uint32_t k = i < 20 ? 0x5A827999 : i < 40 ? 0x6ED9EBA1 : i < 60 ? 0x8F1BBCDC : 0xCA62C1D6;
		uint32_t t = (a << 5 | a >> 27) + f + e + k + w[i];
		e = d, d = c, c = b << 30 | b >> 2, b = a, a = t;
	}
	h[0] += a, h[1] += b, h[2] += c, h[3] += d, h[4] += e;
}

// accept_key writes the 28 characters of Sec-WebSocket-Accept.
static void accept_key(const char *key, size_t key_len, char *out) {
	uint8_t m[128] = {0}, digest[21] = {0};
	uint32_t h[5] = {0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0};
	size_t n = key_len + 36;
	memcpy(m, key, key_len);
	memcpy(m + key_len, "258EAFA5-E914-47DA-95CA-C5AB0DC85B11", 36);
	m[n] = 0x80;
	size_t end = n < 56 ? 64 : 128;
	m[end - 1] = n * 8, m[end - 2] = n * 8 >> 8;
	for (size_t i = 0; i < end; i += 64) sha1_block(h, m + i);
	for (int i = 0; i < 20; i++) digest[i] = h[i / 4] >> (24 - 8 * (i % 4));
	const char *b64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	for (int i = 0; i < 21; i += 3) {
		uint32_t v = digest[i] << 16 | digest[i + 1] << 8 | digest[i + 2];
		for (int j = 0; j < 4; j++) *out++ = b64[v >> (18 - 6 * j) & 63];
	}
	out[-1] = '=';
}

// upgrade answers the handshake. It returns 0 for a request that cannot be answered.
static int upgrade(conn *c) {
	uint8_t *end = memmem(c->in.bytes, c->in.len, "\r\n\r\n", 4);
	if (!end) return c->in.len < 8192;
	*end = 0;
	char *key = strcasestr((char *)c->in.bytes, "sec-websocket-key:");
	if (!key) return 0;
	key += strcspn(key, ":") + 1;
	key += strspn(key, " ");
	size_t key_len = strcspn(key, "\r\n ");
	if (key_len > 64) return 0;
	char head[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ############################\r\n\r\n";
	accept_key(key, key_len, strchr(head, '#'));
	write_all(c, (uint8_t *)head, sizeof head - 1);
	c->upgraded = 1;
	c->in.len -= end + 4 - c->in.bytes;
	memmove(c->in.bytes, end + 4, c->in.len);
	return 1;
}

// feed handles what has been read. It returns 0 when the connection ends.
static int feed(conn *c) {
	if (!c->upgraded && !upgrade(c)) return 0;
	if (!c->upgraded) return 1;
	size_t at = 0;
	while (c->in.len - at >= 2) {
		uint8_t *p = c->in.bytes + at;
		size_t have = c->in.len - at, head = 2;
		uint64_t n = p[1] & 127;
		if (n == 126 && have < 4) break;
		if (n == 127 && have < 10) break;
		if (n == 126) n = p[2] << 8 | p[3], head = 4;
		else if (n == 127) {
			n = 0, head = 10;
			for (int i = 0; i < 8; i++) n = n << 8 | p[2 + i];
		}
		if (have < head + 4 + n) break;
		uint8_t *mask = p + head, *data = mask + 4;
		uint32_t m4;
		memcpy(&m4, mask, 4);
		uint64_t m8 = (uint64_t)m4 << 32 | m4, v, i = 0;
		for (; i + 8 <= n; i += 8) memcpy(&v, data + i, 8), v ^= m8, memcpy(data + i, &v, 8);
		for (; i < n; i++) data[i] ^= mask[i & 3];
		if ((p[0] & 15) == 8) return 0;
		if ((p[0] & 15) < 3) message(c, data, n);
		at += head + 4 + n;
	}
	c->in.len -= at;
	memmove(c->in.bytes, c->in.bytes + at, c->in.len);
	return 1;
}

static void leave(conn *c) {
	for (int i = 0; c->subscriber && i < member_count; i++)
		if (members[i] == c->fd) members[i] = members[--member_count], c->subscriber = 0;
	for (int i = 0; c->dirty && i < dirty_count; i++)
		if (dirty[i] == c) dirty[i] = dirty[--dirty_count], c->dirty = 0;
	if (service == c) service = NULL;
	if (c->id) by_id[c->id] = NULL;
	by_fd[c->fd] = NULL;
	close(c->fd);
	free(c->in.bytes), free(c->out.bytes), free(c);
}

static void end_turn(void) {
	for (int i = 0; broadcast.len > 0 && i < member_count; i++) write_all(by_fd[members[i]], broadcast.bytes, broadcast.len);
	broadcast.len = 0;
	for (int i = 0; i < dirty_count; i++) {
		conn *c = dirty[i];
		write_all(c, c->out.bytes, c->out.len);
		free(c->out.bytes);
		c->out = (buffer){0}, c->dirty = 0;
	}
	dirty_count = 0;
}

int main(void) {
	signal(SIGPIPE, SIG_IGN); // a peer may leave while its answer is written
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), one = 1, poll = epoll_create1(0);
	struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof addr;
	if (bind(listener, (void *)&addr, sizeof addr) || listen(listener, 4096)) return perror("listen"), 1;
	getsockname(listener, (void *)&addr, &size);
	printf("{\"msg\":\"listening\",\"addr\":\"127.0.0.1:%d\"}\n", ntohs(addr.sin_port));
	fflush(stdout);
	struct epoll_event event = {.events = EPOLLIN, .data.fd = listener}, events[256];
	epoll_ctl(poll, EPOLL_CTL_ADD, listener, &event);
	static uint8_t bytes[READ_SIZE];
	for (;;) {
		int n = epoll_wait(poll, events, 256, -1);
		for (int i = 0; i < n; i++) {
			int fd = events[i].data.fd;
			if (fd == listener) {
				while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
					setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
					by_fd[fd] = calloc(1, sizeof(conn));
					by_fd[fd]->fd = fd;
					event = (struct epoll_event){.events = EPOLLIN, .data.fd = fd};
					epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event);
				}
				continue;
			}
			conn *c = by_fd[fd];
			ssize_t r = read(fd, bytes, sizeof bytes);
			if (r < 0 && errno == EAGAIN) continue;
			if (r > 0) append(&c->in, bytes, r);
			if (r <= 0 || !feed(c)) {
				leave(c);
			} else if (c->in.len == 0) {
				free(c->in.bytes);
				c->in = (buffer){0};
			}
		}
		end_turn();
	}
}
