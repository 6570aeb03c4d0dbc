/*
 * driver - runs a fuzz target where libFuzzer is not at hand
 *
 * Takes the part of libFuzzer's command line that our scripts use: folders or
 * files of inputs, -max_total_time=SECONDS, -runs=N. Replays every input, then
 * mutates them (bits, bytes, cuts, splices) with a fixed seed until the time
 * or the runs are used up. Coverage does not guide it: it finds what is easy
 * to find and shows that the corpus passes.
 */
#include <config.h>

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define INPUTS_MAX 4096
#define BYTES_MAX  65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	uint8_t *data;
	size_t size;
};

static struct input inputs[INPUTS_MAX];
static size_t input_count;
static uint64_t random_state = 0x9e3779b97f4a7c15ULL;

static uint64_t
next_random(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

/* The input under test, and where to leave it when it breaks the target. */
static const uint8_t *current;
static size_t current_size;
static char artifact[4096] = "./";

static void
keep_finding(int number)
{
	char path[4200];
	int file;

	snprintf(path, sizeof path, "%scrash-%d", artifact, (int)getpid());
	file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (file >= 0) {
		if (write(file, current, current_size) < 0)
			fprintf(stderr, "cannot keep the input\n");
		fprintf(stderr, "the input is in %s\n", path);
		close(file);
	}
	signal(number, SIG_DFL);
	raise(number);
}

static void
read_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	struct input *input;

	if (file == NULL || input_count == INPUTS_MAX) {
		if (file != NULL)
			fclose(file);
		return;
	}
	input = &inputs[input_count++];
	input->data = malloc(BYTES_MAX);
	if (input->data == NULL)
		exit(1);
	input->size = fread(input->data, 1, BYTES_MAX, file);
	fclose(file);
}

static void
read_inputs(const char *path)
{
	struct dirent *entry;
	DIR *folder = opendir(path);

	if (folder == NULL) {
		read_file(path);
		return;
	}
	while ((entry = readdir(folder)) != NULL) {
		char name[4096];

		if (entry->d_name[0] == '.')
			continue;
		snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
		read_file(name);
	}
	closedir(folder);
}

/* Copies an input into a buffer of its own size, so that sanitizers and
 * valgrind see an overrun, and runs the target on it. */
static void
run_one(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size == 0 ? 1 : size);

	if (copy == NULL)
		exit(1);
	memcpy(copy, data, size);
	current = copy;
	current_size = size;
	LLVMFuzzerTestOneInput(copy, size);
	free(copy);
}

static size_t
mutate(uint8_t *data, size_t size)
{
	for (uint64_t times = 1 + next_random() % 8; times > 0; times--) {
		size_t at = size == 0 ? 0 : next_random() % size;

		switch (next_random() % 6) {
		case 0:
			if (size > 0)
				data[at] ^= (uint8_t)(1u << next_random() % 8);
			break;
		case 1:
			if (size > 0)
				data[at] = (uint8_t)next_random();
			break;
		case 2:
			if (size < BYTES_MAX) {
				memmove(data + at + 1, data + at, size - at);
				data[at] = (uint8_t)next_random();
				size++;
			}
			break;
		case 3:
			if (size > 0) {
				memmove(
				    data + at, data + at + 1, size - at - 1);
				size--;
			}
			break;
		case 4:
			size = at;
			break;
		default: {
			struct input *other =
			    &inputs[next_random() % input_count];
			size_t from =
			    other->size == 0 ? 0 : next_random() % other->size;
			size_t count = other->size - from;

			if (count > BYTES_MAX - at)
				count = BYTES_MAX - at;
			memcpy(data + at, other->data + from, count);
			if (at + count > size)
				size = at + count;
			break;
		}
		}
	}
	return size;
}

int
main(int argc, char **argv)
{
	static uint8_t buffer[BYTES_MAX + 8];
	unsigned long runs = 0, runs_max = (unsigned long)-1;
	long seconds = 0;
	time_t start = time(NULL);

	signal(SIGABRT, keep_finding);
	signal(SIGSEGV, keep_finding);
	signal(SIGFPE, keep_finding);
	for (int i = 1; i < argc; i++) {
		if (strncmp(argv[i], "-max_total_time=", 16) == 0)
			seconds = strtol(argv[i] + 16, NULL, 10);
		else if (strncmp(argv[i], "-artifact_prefix=", 17) == 0)
			snprintf(artifact, sizeof artifact, "%s", argv[i] + 17);
		else if (strncmp(argv[i], "-runs=", 6) == 0)
			runs_max = strtoul(argv[i] + 6, NULL, 10);
		else if (argv[i][0] != '-')
			read_inputs(argv[i]);
	}
	for (size_t i = 0; i < input_count && runs < runs_max; i++, runs++)
		run_one(inputs[i].data, inputs[i].size);
	if (input_count == 0) {
		inputs[0].data = buffer;
		input_count = 1;
	}
	while (runs < runs_max && time(NULL) - start < seconds) {
		const struct input *from = &inputs[next_random() % input_count];
		size_t size = from->size;

		memmove(buffer, from->data, size);
		size = mutate(buffer, size);
		run_one(buffer, size);
		runs++;
	}
	for (size_t i = 0; i < input_count; i++)
		if (inputs[i].data != buffer)
			free(inputs[i].data);
	fprintf(stderr, "Done %lu runs in %ld second(s)\n", runs,
	    (long)(time(NULL) - start));
	return 0;
}
