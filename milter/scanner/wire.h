/*
 * wire - how the pool, the zygote, templates and workers speak
 *
 * All are of one build on one host, so requests are plain structs in one
 * SEQPACKET each, with descriptors beside them (SCM_RIGHTS). A worker's answer
 * lies in shared memory as a sequence of numbers and counted bytes, which the
 * pool copies before it reads them with wire_reader: a worker that has been
 * taken over can lie, but cannot make the reader pass the end.
 */
#ifndef TOCSIN_SCANNER_WIRE_H
#define TOCSIN_SCANNER_WIRE_H

#include <stdint.h>

#include "base/slice.h"
#include "scanner/scanner.h"

#define WIRE_DESCRIPTORS_MAX 3

/* To the zygote: fork a template. Descriptors: its socket, memory with the
 * rules. */
struct wire_template_request {
	struct scanner_settings settings;
	uint64_t rules_bytes;
};

/* From the template when it has loaded its rules. The text is in the same
 * memory as the rules were. */
struct wire_template_reply {
	uint32_t good;
	uint64_t message_bytes;
};

/* To a template: fork a worker. Descriptors: its socket, the memory with a
 * part's bytes, the memory for the answer. */
struct wire_worker_request {
	uint64_t answer_bytes;
};

/* To a worker: look into the first content_bytes of the part memory. */
struct wire_scan_request {
	uint64_t content_bytes;
	uint64_t bytes_left;
	uint32_t entries_left;
	uint32_t time_ms; /* wall time until the worker ends itself */
	uint32_t want;
	uint32_t depth;
	uint32_t name_bytes;
	char name[512];
};

struct wire_scan_reply {
	uint64_t answer_bytes;
	uint64_t bytes_left;
	uint32_t entries_left;
	uint32_t retires; /* the worker ends after this answer */
};

/* Sends one packet with descriptors; false with errno. */
bool wire_send(int socket, const void *packet, size_t size,
    const int *descriptors, size_t descriptor_count);

/* Receives one packet of exactly `size` bytes with exactly descriptor_count
 * descriptors (close-on-exec). False at the end of the connection or for
 * anything else, with all descriptors closed. */
bool wire_receive(int socket, void *packet, size_t size, int *descriptors,
    size_t descriptor_count);

/* Waits until a packet, or the end of the connection, can be read; false when
 * the deadline passes first. 0: looks only. */
bool wire_readable(int socket, uint64_t deadline_ms);

/* The monotonic clock. */
uint64_t wire_clock_ms(void);

/* Memory of `size` bytes that can be handed to another process, or -1. */
int wire_memory(size_t size);

/* Writes into a fixed space; `failed` once something did not fit. */
struct wire_writer {
	char *data;
	size_t size, used;
	bool failed;
};

void wire_put_number(struct wire_writer *writer, uint64_t number);
void wire_put_slice(struct wire_writer *writer, struct slice slice);

struct wire_reader {
	struct slice rest;
	bool failed;
};

/* 0 and `failed` when nothing is left. */
uint64_t wire_take_number(struct wire_reader *reader);
struct slice wire_take_slice(struct wire_reader *reader);

#endif
