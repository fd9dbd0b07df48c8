// The hooks that a process was in when it died: written by threads, read from the file.
#include "record/hook_file.h"

#include <gmock/gmock.h>

#include "base/files.h"
#include "unit/temporary_folder.h"

namespace assay::record {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(HookFile, NamesEveryThreadsHookOnce) {
  const testing::TemporaryFolder folder;
  const auto file = folder / "hooks";
  {
    const HookFile hooks(file);
    ASSERT_NE(hooks.slots(), nullptr);
    EXPECT_THAT(hooks_in(file), IsEmpty());
    const auto slot = [&](size_t thread) { return hooks.slots() + thread * HookFile::kSlotBytes; };
    write_hook(slot(0), "gpt", "gpt", "forward");
    write_hook(slot(1), "alibi", "slopes", "attention_bias");
    write_hook(slot(2), "gpt", "gpt", "forward");
    write_hook(slot(63), "lm", "lm", "evaluate");
    EXPECT_THAT(hooks_in(file), ElementsAre("plugin 'gpt', component 'gpt', hook 'forward'",
                                            "plugin 'alibi', component 'slopes', hook 'attention_bias'",
                                            "plugin 'lm', component 'lm', hook 'evaluate'"));
    write_hook(slot(0), "", "", "");
    write_hook(slot(1), "", "", "");
    write_hook(slot(2), std::string(300, 'x'), "c", "h");  // truncated to the slot
    const auto left = hooks_in(file);
    ASSERT_EQ(left.size(), 2u);
    EXPECT_THAT(left[0], ::testing::StartsWith("plugin 'xxx"));
    EXPECT_EQ(left[1], "plugin 'lm', component 'lm', hook 'evaluate'");
  }
  EXPECT_FALSE(std::filesystem::exists(file));
  EXPECT_THAT(hooks_in(file), IsEmpty());
}

TEST(HookFile, WorksWithoutAFileWhereItCannotBeWritten) {
  const HookFile hooks("/nowhere/hooks");
  EXPECT_EQ(hooks.slots(), nullptr);
}

}  // namespace
}  // namespace assay::record
