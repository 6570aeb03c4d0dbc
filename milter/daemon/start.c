#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "daemon/control.h"
#include "daemon/filter.h"
#include "daemon/log_sink.h"
#include "daemon/start.h"

static bool
copy_text(char *to, size_t size, const char *from, const char *what,
    char *problem, size_t problem_size)
{
	if (snprintf(to, size, "%s", from == NULL ? "" : from) < (int)size)
		return true;
	snprintf(problem, problem_size, "%s is too long", what);
	return false;
}

static bool
prepare_socket(const struct options *options, const struct settings *settings,
    struct start *start, char *problem, size_t problem_size)
{
	gid_t group;

	if (!socket_address_parse(
		options->socket != NULL ? options->socket : settings->socket,
		&start->socket.address, problem, problem_size) ||
	    !copy_text(start->group, sizeof start->group,
		settings->socket_group, "socket-group", problem, problem_size))
		return false;
	start->socket.mode = (mode_t)settings->socket_mode;
	start->socket.filter_uid = start->user.uid;
	if (start->group[0] == '\0' ||
	    privilege_find_group(start->group, &group))
		return true;
	snprintf(problem, problem_size,
	    "there is no group \"%s\" "
	    "(socket-group)",
	    start->group);
	return false;
}

bool
start_prepare(const struct options *options, const struct settings *settings,
    struct start *start_out, char *problem, size_t problem_size)
{
	struct start start = { 0 };

	if (!privilege_find(
		options->user != NULL ? options->user : settings->user,
		&start.user, problem, problem_size) ||
	    !prepare_socket(options, settings, &start, problem, problem_size) ||
	    !copy_text(start.control_path, sizeof start.control_path,
		settings->control_socket, "control-socket", problem,
		problem_size) ||
	    !copy_text(start.pid_path, sizeof start.pid_path,
		options->pid_file != NULL ? options->pid_file
					  : settings->pid_file,
		"pid-file", problem, problem_size) ||
	    !copy_text(start.state_directory, sizeof start.state_directory,
		settings->state_directory, "state-directory", problem,
		problem_size))
		return false;
	if (!log_sink_facility_known(settings->syslog_facility)) {
		snprintf(problem, problem_size,
		    "syslog-facility \"%s\" is none; write mail, daemon or "
		    "local0 to local7",
		    settings->syslog_facility);
		return false;
	}
	start.refuse_writable = start.user.change;
	*start_out = start;
	return true;
}

static bool
make_state_directory(
    const struct start *start, char *problem, size_t problem_size)
{
	const char *path = start->state_directory;
	struct stat info;

	if (mkdir(path, 0700) == 0) {
		if (start->user.change &&
		    lchown(path, start->user.uid, start->user.gid) != 0) {
			snprintf(problem, problem_size, "%s: %s", path,
			    strerror(errno));
			return false;
		}
		return true;
	}
	if (errno != EEXIST || stat(path, &info) != 0 ||
	    !S_ISDIR(info.st_mode)) {
		snprintf(problem, problem_size, "the state directory %s: %s",
		    path, errno == EEXIST ? "is no folder" : strerror(errno));
		return false;
	}
	return true;
}

static bool
write_pid_file(const struct start *start, char *problem, size_t problem_size)
{
	char text[32];
	int length = snprintf(text, sizeof text, "%ld\n", (long)getpid());
	bool written;
	int fd;

	if (start->pid_path[0] == '\0')
		return true;
	(void)unlink(start->pid_path);
	fd = open(start->pid_path,
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	written = fd >= 0 && write(fd, text, (size_t)length) == length;
	if (!written)
		snprintf(problem, problem_size, "the pid file %s: %s",
		    start->pid_path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return written;
}

static bool
open_milter_socket(
    const struct start *start, char *problem, size_t problem_size)
{
	struct milter_socket_settings settings = start->socket;
	char warning[512] = "";

	settings.group = start->group;
	if (!milter_socket_check(
		&settings, problem, problem_size, warning, sizeof warning))
		return false;
	if (warning[0] != '\0')
		log_write(LOG_LEVEL_WARNING, "%s", warning);
	if (!filter_register()) {
		snprintf(problem, problem_size,
		    "libmilter does not take our callbacks");
		return false;
	}
	return milter_socket_open(&settings, problem, problem_size);
}

int
start_open(const struct start *start, char *problem, size_t problem_size)
{
	int control;

	if (!make_state_directory(start, problem, problem_size) ||
	    !open_milter_socket(start, problem, problem_size))
		return -1;
	control = control_listen(
	    start->control_path, start->user.uid, problem, problem_size);
	if (control >= 0 && write_pid_file(start, problem, problem_size) &&
	    privilege_drop(&start->user, problem, problem_size)) {
		if (access(start->state_directory, R_OK | W_OK | X_OK) == 0)
			return control;
		snprintf(problem, problem_size,
		    "the state directory %s is not ours to write: %s",
		    start->state_directory, strerror(errno));
	}
	if (control >= 0)
		close(control);
	start_undo(start);
	return -1;
}

void
start_undo(const struct start *start)
{
	milter_socket_remove(&start->socket);
	(void)unlink(start->control_path);
	if (start->pid_path[0] != '\0')
		(void)unlink(start->pid_path);
}

void
start_log(const struct options *options, const struct settings *settings)
{
	bool journal = options->foreground && log_sink_stderr_is_journal();
	struct log_sink_settings log = {
		.to_stderr = options->foreground && !journal,
		.to_syslog =
		    !options->foreground || options->to_syslog || journal,
		.json = settings->log_format == SETTINGS_LOG_FORMAT_JSON,
		.facility = settings->syslog_facility,
		.level = (enum log_level)settings->log_level,
	};

	if (options->verbose > 0)
		log.level =
		    options->verbose > 1 ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO;
	if (options->verbose == 1 &&
	    (enum log_level)settings->log_level > log.level)
		log.level = (enum log_level)settings->log_level;
	log_sink_set(&log);
}
