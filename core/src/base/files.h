// Reading and writing whole files; writes are atomic (written aside, synced, renamed), so no reader sees a torn file.
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

// Deletes what killed processes were writing into a folder with write_atomically: of no process here, and an hour old,
// for it could be another machine's. Errors are ignored.
void remove_abandoned(const std::filesystem::path& folder);

// The parts one after another, synced; not atomic: for files of a folder that gets its name when it is whole.
void write_synced(const std::filesystem::path& file, const std::vector<std::string_view>& parts);
// Makes what was created and renamed in a folder last.
void sync_folder(const std::filesystem::path& folder);

}  // namespace assay::base
