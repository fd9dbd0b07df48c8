// Examples of FIPS 180-4.
#include "base/sha256.h"

#include <gtest/gtest.h>

#include "assay/error.h"

// Linux exposes the memory of a process as a file whose first bytes cannot be read.
TEST(Sha256, AFileThatCannotBeReadToItsEndHasNoHash) {
  EXPECT_THROW(assay::base::sha256_of_file("/proc/self/mem"), assay::UserError);
}

TEST(Sha256, PublishedVectors) {
  EXPECT_EQ(assay::base::sha256(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(assay::base::sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}
