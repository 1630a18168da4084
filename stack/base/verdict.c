#include "stack/base/verdict.h"

#include "stack/base/check.h"

const char *verdict_name(enum verdict v)
{
	static const char *const names[V_COUNT] = {
#define V(name, text) #name,
		VERDICTS(V)
#undef V
	};

	ASSERT((unsigned)v < V_COUNT);
	return names[v];
}

const char *verdict_text(enum verdict v)
{
	static const char *const texts[V_COUNT] = {
#define V(name, text) text,
		VERDICTS(V)
#undef V
	};

	ASSERT((unsigned)v < V_COUNT);
	return texts[v];
}
