#include "tests/lib/model_sent.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	model_sent(data, len);
	return 0;
}
