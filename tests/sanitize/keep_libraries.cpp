// SPDX-License-Identifier: BSL-1.0
// Linked under AddressSanitizer only: libraries that Open MPI would unload stay, so that leak reports can name their
// functions and the suppressions in leaks.txt apply to them, and to nothing else.
extern "C" int dlclose(void*) { return 0; }
