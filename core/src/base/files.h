// Reads and writes whole files. Writes are atomic (temporary file, fsync, rename), so readers never see a partial file.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace assay::base {

// Throws UserError naming the file and the cause.
std::string read_file(const std::filesystem::path& file);
// "" where it cannot be read: for what the system says in /proc, which may not be there.
std::string read_if_there(const std::filesystem::path& file);
void write_atomically(const std::filesystem::path& file, std::string_view content);

// Deletes the temporary files that killed processes left in a folder during write_atomically. A file is deleted only if
// its process does not run on this machine and the file is at least an hour old, because another machine may be writing
// it. Errors are ignored.
void remove_abandoned(const std::filesystem::path& folder);

// Writes the parts in order and syncs the file. The write is not atomic; use it for files in a folder that is renamed
// when it is complete.
void write_synced(const std::filesystem::path& file, const std::vector<std::string_view>& parts);
// Makes file creations and renames in a folder durable.
void sync_folder(const std::filesystem::path& folder);

}  // namespace assay::base
