#include "tests/lib/model_sack.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	model_sack(data, len);
	return 0;
}
