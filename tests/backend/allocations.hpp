// SPDX-License-Identifier: BSL-1.0
#pragma once

/// How often this program has asked operator new for memory.
long allocations();
