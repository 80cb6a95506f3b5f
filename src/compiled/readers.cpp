// SPDX-License-Identifier: BSL-1.0
#include <gamut/compiled.hpp>

namespace gamut::data {

template dataset<backend::dense_matrix<double>> csv<double>::load(const communicator::single<>&, const request&) const;
template dataset<backend::sparse_matrix<double>> libsvm<double>::load(const communicator::single<>&,
                                                                      const request&) const;
template standardization standardize(const communicator::single<>&, const dataset<backend::dense_matrix<double>>&, int);
template standardization standardize(const communicator::single<>&, const dataset<backend::sparse_matrix<double>>&,
                                     int);
template dataset<backend::dense_matrix<float>> csv<float>::load(const communicator::single<>&, const request&) const;
template dataset<backend::sparse_matrix<float>> libsvm<float>::load(const communicator::single<>&,
                                                                    const request&) const;
template standardization standardize(const communicator::single<>&, const dataset<backend::dense_matrix<float>>&, int);
template standardization standardize(const communicator::single<>&, const dataset<backend::sparse_matrix<float>>&, int);
template dataset<backend::dense_matrix<double>> csv<double>::load(const communicator::threads<>&, const request&) const;
template dataset<backend::sparse_matrix<double>> libsvm<double>::load(const communicator::threads<>&,
                                                                      const request&) const;
template standardization standardize(const communicator::threads<>&, const dataset<backend::dense_matrix<double>>&,
                                     int);
template standardization standardize(const communicator::threads<>&, const dataset<backend::sparse_matrix<double>>&,
                                     int);
template dataset<backend::dense_matrix<float>> csv<float>::load(const communicator::threads<>&, const request&) const;
template dataset<backend::sparse_matrix<float>> libsvm<float>::load(const communicator::threads<>&,
                                                                    const request&) const;
template standardization standardize(const communicator::threads<>&, const dataset<backend::dense_matrix<float>>&, int);
template standardization standardize(const communicator::threads<>&, const dataset<backend::sparse_matrix<float>>&,
                                     int);

}  // namespace gamut::data
