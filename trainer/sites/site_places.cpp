// SPDX-License-Identifier: Apache-2.0
#include "trainer/sites/site_places.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/errors.h"

namespace convoy::trainer {
namespace {

namespace fs = std::filesystem;

/// What something would be made in: `path` itself or the nearest folder above that is there.
fs::path nearest_existing(fs::path path) {
  std::error_code error;
  while (!fs::exists(path, error) && path != path.parent_path()) path = path.parent_path();
  return path;
}

/// @param what  cannot be done in `folder`, if it is none or may not be written.
void require_writable_folder(const fs::path& folder, const std::string& what) {
  std::error_code error;
  require_config(fs::is_directory(folder, error), what + folder.string() + " is no folder");
  require_config(::access(folder.c_str(), W_OK | X_OK) == 0,
                 what + folder.string() + ": " + std::strerror(errno));
}

}  // namespace

void require_state_folder(const fs::path& folder) {
  const fs::path whole = fs::absolute(folder).lexically_normal();
  const fs::path place = nearest_existing(whole);
  require_writable_folder(place, place == whole
                                     ? "--state: cannot write into the folder: "
                                     : "--state: cannot make the folder " + whole.string() + ": ");
}

void require_model_file(const fs::path& file, const fs::path& state) {
  const fs::path whole = fs::absolute(file).lexically_normal();
  const fs::path folder = whole.parent_path();
  const std::string what = "--model: cannot write " + whole.string() + ": ";
  std::error_code error;
  require_config(whole.has_filename() && !fs::is_directory(whole, error), what + "it is a folder");
  const fs::path own = (fs::absolute(state) / "").lexically_normal().parent_path();
  if (folder == own && !fs::exists(folder, error)) return;
  require_config(fs::exists(folder, error), what + "there is no folder " + folder.string());
  require_writable_folder(folder, what);
}

}  // namespace convoy::trainer
