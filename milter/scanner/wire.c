#include <config.h>

#include <errno.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "scanner/wire.h"

union control {
	struct cmsghdr header;
	char space[CMSG_SPACE(WIRE_DESCRIPTORS_MAX * sizeof(int))];
};

bool
wire_send(int socket, const void *packet, size_t size, const int *descriptors,
    size_t descriptor_count)
{
	union control control = { 0 };
	struct iovec piece = { .iov_base = (void *)(uintptr_t)packet,
		.iov_len = size };
	struct msghdr message = { .msg_iov = &piece, .msg_iovlen = 1 };
	ssize_t sent;

	if (descriptor_count > 0) {
		size_t bytes = descriptor_count * sizeof *descriptors;

		message.msg_control = control.space;
		message.msg_controllen = CMSG_SPACE(bytes);
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(bytes);
		memcpy(CMSG_DATA(&control.header), descriptors, bytes);
	}
	do
		sent = sendmsg(socket, &message, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent == (ssize_t)size;
}

/* Takes the descriptors out of a received message; returns how many. */
static size_t
take_descriptors(struct msghdr *message, int *descriptors)
{
	struct cmsghdr *header = CMSG_FIRSTHDR(message);
	size_t count;

	if (header == NULL || header->cmsg_level != SOL_SOCKET ||
	    header->cmsg_type != SCM_RIGHTS)
		return 0;
	count = (header->cmsg_len - CMSG_LEN(0)) / sizeof *descriptors;
	if (count > WIRE_DESCRIPTORS_MAX)
		count = WIRE_DESCRIPTORS_MAX;
	memcpy(descriptors, CMSG_DATA(header), count * sizeof *descriptors);
	return count;
}

bool
wire_receive(int socket, void *packet, size_t size, int *descriptors,
    size_t descriptor_count)
{
	union control control = { 0 };
	int received[WIRE_DESCRIPTORS_MAX];
	struct iovec piece = { .iov_base = packet, .iov_len = size };
	struct msghdr message = {
		.msg_iov = &piece,
		.msg_iovlen = 1,
		.msg_control = control.space,
		.msg_controllen = sizeof control.space,
	};
	size_t count;
	ssize_t got;

	do
		got = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
	while (got < 0 && errno == EINTR);
	if (got <= 0)
		return false;
	count = take_descriptors(&message, received);
	if (got == (ssize_t)size && count == descriptor_count &&
	    !(message.msg_flags & (MSG_TRUNC | MSG_CTRUNC))) {
		if (count > 0)
			memcpy(descriptors, received, count * sizeof *received);
		return true;
	}
	for (size_t i = 0; i < count; i++)
		close(received[i]);
	errno = EPROTO;
	return false;
}

void
wire_put_number(struct wire_writer *writer, uint64_t number)
{
	if (writer->failed || writer->size - writer->used < sizeof number) {
		writer->failed = true;
		return;
	}
	memcpy(writer->data + writer->used, &number, sizeof number);
	writer->used += sizeof number;
}

void
wire_put_slice(struct wire_writer *writer, struct slice slice)
{
	size_t mark = writer->used;

	wire_put_number(writer, slice.length);
	if (writer->failed || writer->size - writer->used < slice.length) {
		writer->used = mark;
		writer->failed = true;
		return;
	}
	if (slice.length > 0)
		memcpy(writer->data + writer->used, slice.data, slice.length);
	writer->used += slice.length;
}

uint64_t
wire_take_number(struct wire_reader *reader)
{
	uint64_t number;

	if (reader->failed || reader->rest.length < sizeof number) {
		reader->failed = true;
		return 0;
	}
	memcpy(&number, reader->rest.data, sizeof number);
	reader->rest = slice_skip(reader->rest, sizeof number);
	return number;
}

struct slice
wire_take_slice(struct wire_reader *reader)
{
	uint64_t length = wire_take_number(reader);
	struct slice taken = { 0 };

	if (reader->failed || length > reader->rest.length) {
		reader->failed = true;
		return taken;
	}
	taken = slice_range(reader->rest, 0, (size_t)length);
	reader->rest = slice_skip(reader->rest, (size_t)length);
	return taken;
}

uint64_t
wire_clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

int
wire_memory(size_t size)
{
	int memory = memfd_create("tocsin-scanner", MFD_CLOEXEC);

	if (memory >= 0 && ftruncate(memory, (off_t)size) != 0) {
		close(memory);
		memory = -1;
	}
	return memory;
}

bool
wire_readable(int socket, uint64_t deadline_ms)
{
	struct pollfd poll_one = { .fd = socket, .events = POLLIN };
	int ready;

	do {
		uint64_t now = wire_clock_ms();

		ready = poll(&poll_one, 1,
		    now >= deadline_ms ? 0 : (int)(deadline_ms - now));
	} while (ready < 0 && errno == EINTR);
	return ready == 1;
}
