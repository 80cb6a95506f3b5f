// expect: lbfgs: needs a problem with value_and_gradient(w, gradient); see gamut/solver/concept.hpp
// SPDX-License-Identifier: BSL-1.0
#include <gamut/gamut.hpp>

using namespace gamut;

using weights = backend::array<backend::host<double>>;

/// A problem of one's own.
struct parabola {
    using array = weights;
    static constexpr bool smooth = true;
    std::size_t dimension() const { return 1; }
    array start() const { return array(1); }
    std::size_t passes() const { return 0; }
    communicator::single<> communicator() const { return {}; }
    double value(const array& w) const { return w[0] * w[0]; }
#ifdef GAMUT_MISUSE_FIXED
    double value_and_gradient(const array& w, array& gradient) const {
        gradient = 2.0 * w;
        return value(w);
    }
#endif
};

int main() { return solver::lbfgs{}.minimize(parabola{}).iterations == 0; }
