#include <config.h>

#include <pthread.h>
#include <stdlib.h>

#include "outcome/alert.h"

#include "base/builder.h"
#include "base/log.h"
#include "evidence/evidence.h"
#include "indicator/match.h"
#include "language/program.h"
#include "outcome/metrics.h"
#include "outcome/verdict_log.h"

#define SLOTS          256 /* rules with alerts of which we keep count */
#define LINE_MAX_BYTES 2000

/* The count of one rule in the minute under way. Rules are told apart by a
 * hash of their name; two that share a slot share a budget. */
struct slot {
	time_t minute;
	unsigned raised;
	unsigned silenced;
};

struct alerts {
	pthread_mutex_t lock;
	struct slot slots[SLOTS];
};

struct alerts *
alert_new(void)
{
	struct alerts *alerts = calloc(1, sizeof *alerts);

	if (alerts != NULL && pthread_mutex_init(&alerts->lock, NULL) != 0) {
		free(alerts);
		alerts = NULL;
	}
	return alerts;
}

void
alert_free(struct alerts **alerts)
{
	if (*alerts == NULL)
		return;
	pthread_mutex_destroy(&(*alerts)->lock);
	free(*alerts);
	*alerts = NULL;
}

/* True when one more alert of the rule may be raised now. */
static bool
take(struct alerts *alerts, const char *rule, time_t now_unix, uint64_t rate,
    unsigned *silenced_out)
{
	struct slot *slot;
	bool allowed;

	*silenced_out = 0;
	if (alerts == NULL || rate == 0)
		return true;
	slot = &alerts->slots[slice_hash(slice_text(rule), 0) % SLOTS];
	pthread_mutex_lock(&alerts->lock);
	if (slot->minute != now_unix / 60) {
		*silenced_out = slot->silenced;
		*slot = (struct slot){ .minute = now_unix / 60 };
	}
	allowed = slot->raised < rate;
	if (allowed)
		slot->raised++;
	else
		slot->silenced++;
	pthread_mutex_unlock(&alerts->lock);
	return allowed;
}

static void
write_line(const struct evidence *evidence, const struct verdict *verdict,
    const struct verdict_action *action, unsigned silenced)
{
	struct builder line = builder_make(evidence->arena, LINE_MAX_BYTES);
	struct slice text;

	if (evidence->queue_id.length > 0)
		builder_printable(&line, evidence->queue_id, 64);
	else
		builder_text(&line, "NOQUEUE");
	builder_printf(&line, ": alert rule=%s",
	    action->rule == NULL ? "-" : action->rule->name);
	if (action->text.length > 0)
		verdict_log_field(&line, "priority", action->text);
	builder_printf(&line, " disposition=%s",
	    verdict_disposition_name(verdict->disposition));
	if (evidence->hit_count > 0) {
		builder_text(&line, " indicator=");
		verdict_log_indicator(&line, &evidence->hits[0]);
	}
	verdict_log_field(&line, "mail-from", evidence->sender_text);
	if (silenced > 0)
		builder_printf(&line, " left-out=%u", silenced);
	builder_printf(&line, " ref=%s", evidence->reference);
	text = builder_result(&line);
	log_write(LOG_LEVEL_WARNING, "%.*s", (int)text.length, text.data);
}

void
alert_raise(struct alerts *alerts, const struct evidence *evidence,
    const struct verdict *verdict)
{
	for (size_t i = 0; i < verdict->actions.count; i++) {
		const struct verdict_action *action =
		    &verdict->actions.items[i];
		unsigned silenced;

		if (action->kind != ACTION_ALERT)
			continue;
		if (take(alerts, action->rule == NULL ? "" : action->rule->name,
			evidence->now_unix,
			evidence->settings->limits.alert_rate, &silenced)) {
			metrics_add(METRICS_ALERTS, 1);
			write_line(evidence, verdict, action, silenced);
		} else {
			metrics_add(METRICS_ALERTS_SUPPRESSED, 1);
		}
	}
}
