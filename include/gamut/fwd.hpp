// SPDX-License-Identifier: BSL-1.0
#pragma once

namespace gamut {
namespace penalty {
struct none;
}
namespace solver {
template <class Penalty>
struct default_for;
}
namespace backend {
template <class T>
struct host;
}
namespace communicator {
template <class Sums>
struct single;
}
namespace core {
struct exact;
}

template <class Model, class Penalty = penalty::none, class Solver = typename solver::default_for<Penalty>::type,
          class Backend = backend::host<double>, class Communicator = communicator::single<core::exact>>
struct estimator;

}  // namespace gamut
