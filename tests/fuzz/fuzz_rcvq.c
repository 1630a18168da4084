#include "tests/lib/model_rcvq.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	model_rcvq(data, len);
	return 0;
}
