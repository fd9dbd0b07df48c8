// The plugin boundary as plain C data. Nothing here may throw, and nothing here needs LibTorch.
// Plugin authors do not use this header: ASSAY_PLUGIN (assay/plugin.h) fills these structs in.
#pragma once

#include <cstddef>
#include <cstdint>

extern "C" {

enum AssayType : int32_t {
  ASSAY_BOOL,
  ASSAY_INT,
  ASSAY_REAL,
  ASSAY_STRING,
  ASSAY_BOOLS,
  ASSAY_INTS,
  ASSAY_REALS,
  ASSAY_STRINGS,
  ASSAY_DURATION,  // real = amount, text = unit: "steps", "tokens" or "%"
  ASSAY_PATH,      // text = absolute path, identity = SHA-256 of the content
  ASSAY_RUN,       // text = checkpoint folder of another run, identity = SHA-256 of its weights
  ASSAY_CHILD,     // child (null: none); in a default, text = component name ("": none)
  ASSAY_CHILDREN,  // items of type ASSAY_CHILD
};

struct AssayValue {
  int32_t type;
  int32_t boolean;
  int64_t integer;
  double real;
  const char* text;
  const char* identity;
  const AssayValue* items;
  size_t item_count;
  void* child;  // the child's interface pointer, whose kind is the parameter's child_kind
};

struct AssayNamedValue {
  const char* name;
  AssayValue value;
};

struct AssayParameter {
  const char* name;
  const char* doc;
  int32_t type;
  int32_t required;  // 1: no default
  int32_t added;     // 1: left out of plans where it has its default; see Schema::added
  AssayValue default_value;
  double min, max;  // inclusive; NaN: unbounded; for lists, the bounds of each element
  const char* const* choices;
  size_t choice_count;
  const char* child_kind;       // "" unless the type is a child or children
  const char* child_kind_hash;  // hash of that kind's header, as compiled into this plugin
};

struct AssayInstance {
  void* interface_pointer;  // points to the kind's interface class
  void* component;          // the same object as assay::Component*
};

struct AssayError {
  char text[2048];
};

struct AssayComponent {
  const char* kind;
  const char* kind_hash;
  const char* name;
  const char* doc;
  const char* paper;
  const AssayParameter* parameters;
  size_t parameter_count;
  // Returns 0 and fills `out`, or returns 1 and sets error->text. Parameters without a value take their defaults.
  int (*create)(const AssayNamedValue* values, size_t count, AssayInstance* out, AssayError* error);
  void (*destroy)(AssayInstance instance);
};

struct AssayPlugin {
  const char* name;
  const char* version;
  const AssayComponent* components;
  size_t component_count;
};
}
