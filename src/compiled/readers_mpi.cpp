// SPDX-License-Identifier: BSL-1.0
#include <gamut/compiled_mpi.hpp>

namespace gamut::data {

template dataset<backend::dense_matrix<double>> csv<double>::load(const communicator::mpi<>&, const request&) const;
template dataset<backend::sparse_matrix<double>> libsvm<double>::load(const communicator::mpi<>&, const request&) const;
template standardization standardize(const communicator::mpi<>&, const dataset<backend::dense_matrix<double>>&, int);
template standardization standardize(const communicator::mpi<>&, const dataset<backend::sparse_matrix<double>>&, int);
template dataset<backend::dense_matrix<float>> csv<float>::load(const communicator::mpi<>&, const request&) const;
template dataset<backend::sparse_matrix<float>> libsvm<float>::load(const communicator::mpi<>&, const request&) const;
template standardization standardize(const communicator::mpi<>&, const dataset<backend::dense_matrix<float>>&, int);
template standardization standardize(const communicator::mpi<>&, const dataset<backend::sparse_matrix<float>>&, int);

}  // namespace gamut::data
