// SPDX-License-Identifier: BSL-1.0
#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <utility>
#include <vector>

#include <gamut/backend/aligned_vector.hpp>
#include <gamut/backend/matrix.hpp>
#include <gamut/backend/shared_vector.hpp>

using namespace gamut;

namespace {

using numbers = backend::shared_vector<double>;

struct fixture {
    std::shared_ptr<std::vector<double>> owner =
        std::make_shared<std::vector<double>>(std::vector<double>{1, 2, 3, 4, 5});
    numbers view = numbers::borrowed(owner, owner->data() + 1, 3);

    static std::vector<double> of(const numbers& v) { return {v.begin(), v.end()}; }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(shared_vector, fixture)

BOOST_AUTO_TEST_CASE(what_is_lent_is_read_where_it_is) {
    const numbers& read = view;
    BOOST_TEST(read.data() == owner->data() + 1);
    BOOST_TEST(of(view) == (std::vector<double>{2, 3, 4}), boost::test_tools::per_element());
    const numbers copy = view, moved = std::move(view);
    BOOST_TEST(copy.data() == owner->data() + 1);
    BOOST_TEST(moved.data() == owner->data() + 1);
    BOOST_TEST(view.empty());
    BOOST_TEST(!view.is_borrowed());
}

BOOST_AUTO_TEST_CASE(the_lender_lives_as_long_as_somebody_reads) {
    std::weak_ptr<std::vector<double>> watched = owner;
    owner.reset();
    BOOST_TEST(!watched.expired());
    numbers copy = view;
    view = {};
    BOOST_TEST(!watched.expired());
    copy[0] = 7;  // its own from here on
    BOOST_TEST(watched.expired());
    BOOST_TEST(of(copy) == (std::vector<double>{7, 3, 4}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(there_may_be_no_lender) {
    static const double forever[] = {1, 2, 3};
    numbers all = numbers::borrowed({}, forever, 3);
    const numbers copy = all;
    BOOST_TEST(copy.data() == forever);
    BOOST_TEST(all.is_borrowed());
    all[0] = 5;
    BOOST_TEST(forever[0] == 1);
    BOOST_TEST(of(all) == (std::vector<double>{5, 2, 3}), boost::test_tools::per_element());
    numbers longer = copy;
    longer.push_back(4);
    BOOST_TEST(of(longer) == (std::vector<double>{1, 2, 3, 4}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(whoever_writes_gets_a_copy) {
    const std::vector<double> before = *owner;
    const auto is = [&](auto&& change, const std::vector<double>& expected) {
        numbers written = view;
        change(written);
        BOOST_TEST(of(written) == expected, boost::test_tools::per_element());
        BOOST_TEST(!written.is_borrowed());
        BOOST_TEST(*owner == before, boost::test_tools::per_element());
        BOOST_TEST(of(view) == (std::vector<double>{2, 3, 4}), boost::test_tools::per_element());
    };
    is([](numbers& v) { v[1] = 9; }, {2, 9, 4});
    is([](numbers& v) { v.back() = 9; }, {2, 3, 9});
    is([](numbers& v) { *v.begin() = 9; }, {9, 3, 4});
    is([](numbers& v) { *(v.end() - 1) = 9; }, {2, 3, 9});
    is([](numbers& v) { v.data()[2] = 9; }, {2, 3, 9});
    is([](numbers& v) { v.push_back(9); }, {2, 3, 4, 9});
    is([](numbers& v) { v.resize(2); }, {2, 3});
    is([](numbers& v) { v.resize(5); }, {2, 3, 4, 0, 0});
    is([](numbers& v) { v.reserve(10); }, {2, 3, 4});
    is([](numbers& v) { v.clear(); }, {});
    is([](numbers& v) { v.assign({8, 9}); }, {8, 9});
    is([](numbers& v) { v.assign(2, 9.0); }, {9, 9});
    is([&](numbers& v) { v.assign(before.begin(), before.end()); }, before);
    is([&](numbers& v) { v.insert(v.end(), before.begin(), before.begin() + 2); }, {2, 3, 4, 1, 2});
    is([&](numbers& v) { v.insert(std::as_const(v).begin() + 1, before.begin(), before.begin() + 2); },
       {2, 1, 2, 3, 4});
}

BOOST_AUTO_TEST_CASE(what_it_owns_it_copies) {
    numbers own(backend::aligned_vector<double>{1, 2, 3});
    numbers copy = own;
    copy[0] = 5;
    BOOST_TEST(of(own) == (std::vector<double>{1, 2, 3}), boost::test_tools::per_element());
    const double* const place = std::as_const(own).data();
    const numbers moved = std::move(own);
    BOOST_TEST(moved.data() == place);
    BOOST_TEST(own.size() == 0u);
    own.push_back(4);
    BOOST_TEST(of(own) == (std::vector<double>{4}), boost::test_tools::per_element());
    copy = moved;
    BOOST_TEST(bool(copy == moved));
    copy.push_back(1);
    BOOST_TEST(!bool(copy == moved));
}

BOOST_AUTO_TEST_CASE(a_matrix_may_read_memory_of_the_users) {
    backend::dense_matrix<double> x;
    x.rows = 2, x.columns = 2;
    x.values = numbers::borrowed(owner, owner->data(), 4);
    const backend::dense_matrix<double> copy = x;
    BOOST_TEST(copy(1, 0) == 3);
    BOOST_TEST(copy.row(1) == owner->data() + 2);
    x(1, 0) = -1;
    BOOST_TEST(copy(1, 0) == 3);
    BOOST_TEST((*owner)[2] == 3);
}

BOOST_AUTO_TEST_CASE(memory_starts_on_a_cache_line) {
    for (const std::size_t count : {1u, 7u, 1000u, 3u << 20}) {
        const backend::aligned_vector<float> small(count);
        BOOST_TEST(reinterpret_cast<std::uintptr_t>(small.data()) % 64 == 0u);
    }
    BOOST_CHECK_THROW(backend::aligned_allocator<double>{}.allocate(std::size_t(1) << 62), std::bad_alloc);
}

BOOST_AUTO_TEST_SUITE_END()
