// lwIP against itself: two interfaces of one stack joined by a queue in memory, for the bench house.
//
//   lwip bulk|pingpong|connect|idle|timewait COUNT
//
// Everything runs in lwIP's own thread, from the call that says it is ready, so nothing is locked and nothing waits.
// A packet is copied once into a buffer of its own on its way, as a link in memory does. Checksums are computed and
// verified (the distribution's settings). Prints one line of JSON.

#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "lwip/ip.h"
#include "lwip/netif.h"
#include "lwip/priv/tcp_priv.h"
#include "lwip/tcp.h"
#include "lwip/tcpip.h"
#include "lwip/timeouts.h"

#define PERIOD 65521
#define SPAN 65536
#define PORT 80

static uint8_t pattern[PERIOD + SPAN];
static const char *mode;
static long count;

static struct netif ends[2];
struct frame { struct frame *next; struct pbuf *p; struct netif *to; };
static struct frame *head, **tail = &head, *spare;

static struct tcp_pcb *client, *server;
static long sent, received, trips, closed, accepted, failures;
static int open_now;

static void die(const char *what) {
  fprintf(stderr, "%s\n", what);
  _exit(1);
}

static double now_wall(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

static double now_cpu(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

// --- the link ---

static err_t link_out(struct netif *from, struct pbuf *p, const ip4_addr_t *to) {
  (void)to;
  struct pbuf *copy = pbuf_clone(PBUF_RAW, PBUF_RAM, p);
  struct frame *f = spare;
  if (copy == NULL) return ERR_MEM;
  if (f != NULL) spare = f->next;
  else f = malloc(sizeof *f);
  f->next = NULL;
  f->p = copy;
  f->to = from == &ends[0] ? &ends[1] : &ends[0];
  *tail = f;
  tail = &f->next;
  return ERR_OK;
}

static err_t link_up(struct netif *n) {
  n->output = link_out;
  n->mtu = 1500;
  n->name[0] = 'm';
  n->name[1] = 'l';
  return ERR_OK;
}

// Carries what waits; the stack's own timers run now and then.
static void carry(void) {
  static unsigned turns;
  if (++turns % 64 == 0) sys_check_timeouts();
  while (head != NULL) {
    struct frame *f = head;
    head = f->next;
    if (head == NULL) tail = &head;
    f->to->input(f->p, f->to);
    f->next = spare;
    spare = f;
  }
}

// --- the programs at both ends ---

static void on_error(void *arg, err_t err) {
  (void)arg;
  (void)err;
  failures++;
}

static void push(void) {
  while (sent < count) {
    long at = sent % PERIOD;
    long n = tcp_sndbuf(client);
    if (n > SPAN) n = SPAN;
    if (n > count - sent) n = count - sent;
    if (n > 0xffff) n = 0xffff;
    if (n <= 0) break;
    if (tcp_write(client, pattern + at, n, TCP_WRITE_FLAG_COPY) != ERR_OK) break;
    sent += n;
  }
  tcp_output(client);
}

static err_t on_sent(void *arg, struct tcp_pcb *pcb, u16_t len) {
  (void)arg;
  (void)pcb;
  (void)len;
  push();
  return ERR_OK;
}

static err_t on_bulk(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t err) {
  (void)arg;
  (void)err;
  if (p == NULL) return ERR_OK;
  for (struct pbuf *q = p; q != NULL; q = q->next) {
    if (memcmp(q->payload, pattern + received % PERIOD, q->len) != 0) die("wrong octets");
    received += q->len;
  }
  tcp_recved(pcb, p->tot_len);
  pbuf_free(p);
  return ERR_OK;
}

static err_t on_ping(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t err) {
  (void)arg;
  (void)err;
  if (p == NULL) return ERR_OK;
  uint8_t octet = *(uint8_t *)p->payload;
  if (p->tot_len != 1 || octet != (uint8_t)trips) die("wrong octet");
  tcp_recved(pcb, 1);
  pbuf_free(p);
  if (pcb == client) octet = (uint8_t)++trips;
  if (pcb == client && trips == count) return ERR_OK;
  tcp_write(pcb, &octet, 1, TCP_WRITE_FLAG_COPY);
  tcp_output(pcb);
  return ERR_OK;
}

static err_t on_close(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t err) {
  (void)arg;
  (void)err;
  if (p != NULL) die("octets nobody sent");
  // The client closes first; the server follows, and the client's end waits in TIME-WAIT.
  if (pcb == server) tcp_close(pcb);
  closed++;
  return ERR_OK;
}

static tcp_recv_fn receiver(void) {
  if (strcmp(mode, "bulk") == 0) return on_bulk;
  return strcmp(mode, "pingpong") == 0 ? on_ping : on_close;
}

static err_t on_accept(void *arg, struct tcp_pcb *pcb, err_t err) {
  (void)arg;
  (void)err;
  server = pcb;
  accepted++;
  tcp_recv(pcb, receiver());
  tcp_err(pcb, on_error);
  return ERR_OK;
}

static err_t on_connected(void *arg, struct tcp_pcb *pcb, err_t err) {
  (void)arg;
  (void)pcb;
  if (err != ERR_OK) die("not connected");
  open_now = 1;
  return ERR_OK;
}

static void dial(void) {
  open_now = 0;
  client = tcp_new();
  if (client == NULL) die("no memory");
  tcp_bind_netif(client, &ends[0]);
  tcp_bind(client, netif_ip_addr4(&ends[0]), 0);
  tcp_recv(client, receiver());
  tcp_err(client, on_error);
  if (tcp_connect(client, netif_ip_addr4(&ends[1]), PORT, on_connected) != ERR_OK) die("connect");
  for (long want = accepted + 1; !open_now || accepted < want;) carry();
}

// Open, then close both ways. Unless they are kept, waiting ends are given back at once: lwIP has them in a list that
// is walked for every port it chooses, so that its speed would be a matter of how many there are.
static void open_and_close(int keep) {
  dial();
  long want = closed + 2;
  tcp_close(client);
  while (closed < want) carry();
  carry();
  while (!keep && tcp_tw_pcbs != NULL) tcp_abort(tcp_tw_pcbs);
}

static void report_times(double wall, double cpu) {
  printf("{\"wall\":%.9f,\"cpu\":%.9f}\n", now_wall() - wall, now_cpu() - cpu);
}

static void measure(void) {
  double wall, cpu;
  if (strcmp(mode, "idle") == 0) {
    size_t before = mallinfo2().uordblks;
    for (long i = 0; i < count; i++) dial();
    printf("{\"octets\":%.1f}\n", (double)(mallinfo2().uordblks - before) / (2.0 * count));
    return;
  }
  if (strcmp(mode, "timewait") == 0) {
    size_t before = mallinfo2().uordblks;
    for (long i = 0; i < count; i++) open_and_close(1);
    printf("{\"octets\":%.1f}\n", (double)(mallinfo2().uordblks - before) / count);
    return;
  }
  if (strcmp(mode, "connect") == 0) {
    wall = now_wall();
    cpu = now_cpu();
    for (long i = 0; i < count; i++) open_and_close(0);
    report_times(wall, cpu);
    if (accepted != count || closed != 2 * count) die("not all were closed");
    return;
  }
  dial();
  wall = now_wall();
  cpu = now_cpu();
  if (strcmp(mode, "bulk") == 0) {
    tcp_sent(client, on_sent);
    push();
    while (received < count) {
      carry();
      if (failures > 0) die("the connection failed");
    }
  } else {
    uint8_t first = 0;
    tcp_write(client, &first, 1, TCP_WRITE_FLAG_COPY);
    tcp_output(client);
    while (trips < count) carry();
  }
  report_times(wall, cpu);
}

static void ready(void *arg) {
  (void)arg;
  ip4_addr_t a, b, mask, none;
  IP4_ADDR(&a, 10, 0, 0, 1);
  IP4_ADDR(&b, 10, 0, 0, 2);
  IP4_ADDR(&mask, 255, 255, 255, 0);
  ip4_addr_set_zero(&none);
  netif_add(&ends[0], &a, &mask, &none, NULL, link_up, ip_input);
  netif_add(&ends[1], &b, &mask, &none, NULL, link_up, ip_input);
  for (int i = 0; i < 2; i++) {
    netif_set_link_up(&ends[i]);
    netif_set_up(&ends[i]);
  }
  struct tcp_pcb *listener = tcp_new();
  tcp_bind_netif(listener, &ends[1]);
  if (tcp_bind(listener, netif_ip_addr4(&ends[1]), PORT) != ERR_OK) die("bind");
  listener = tcp_listen(listener);
  tcp_accept(listener, on_accept);
  measure();
  fflush(stdout);
  _exit(0);
}

int main(int argc, char **argv) {
  if (argc != 3 || (count = atol(argv[2])) <= 0) {
    fprintf(stderr, "usage: lwip bulk|pingpong|connect|idle|timewait COUNT\n");
    return 2;
  }
  mode = argv[1];
  for (uint32_t i = 0, x = 1; i < sizeof pattern; i++) {
    if (i % PERIOD == 0) x = 1;
    x = x * 1103515245u + 12345u;
    pattern[i] = x >> 16;
  }
  tcpip_init(ready, NULL);
  for (;;) {
    struct timespec t = {1, 0};
    nanosleep(&t, NULL);
  }
}
