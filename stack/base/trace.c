#include "stack/base/trace.h"

#include "stack/base/check.h"

const char *trace_text(enum trace_event event)
{
	static const char *const texts[TRACE_COUNT] = {
#define T(name, text) text,
		TRACE_EVENTS(T)
#undef T
	};

	ASSERT((unsigned)event < TRACE_COUNT);
	return texts[event];
}
