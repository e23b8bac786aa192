; Each definition is captured by its kind, its name as @name; @scope only names what lies inside.

(mod_item name: (identifier) @name) @module
(struct_item name: (type_identifier) @name) @struct
(enum_item name: (type_identifier) @name) @enum
(union_item name: (type_identifier) @name) @union
(trait_item name: (type_identifier) @name) @trait
(type_item name: (type_identifier) @name) @type
(function_item name: (identifier) @name) @function
(function_signature_item name: (identifier) @name) @function
(const_item name: (identifier) @name) @constant
(static_item name: (identifier) @name) @variable
(macro_definition name: (identifier) @name) @macro
(impl_item type: (_) @name) @scope

(line_comment) @comment
(block_comment) @comment
(attribute_item) @attribute
