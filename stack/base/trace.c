#include "stack/base/trace.h"

#include "stack/base/check.h"

static const struct {
	const char *text;
	enum trace_arg arg;
} events[TRACE_COUNT] = {
#define T(name, arg, text) { text, TRACE_ARG_##arg },
	TRACE_EVENTS(T)
#undef T
};

const char *trace_text(enum trace_event event)
{
	ASSERT((unsigned)event < TRACE_COUNT);
	return events[event].text;
}

enum trace_arg trace_arg(enum trace_event event)
{
	ASSERT((unsigned)event < TRACE_COUNT);
	return events[event].arg;
}
