; The type of a method's receiver is captured as @container.

(function_declaration name: (identifier) @name) @function
(method_declaration
  receiver: (parameter_list (parameter_declaration type: (_) @container))
  name: (field_identifier) @name) @method
(type_spec name: (type_identifier) @name type: (struct_type)) @struct
(type_spec name: (type_identifier) @name type: (interface_type)) @interface
(type_spec name: (type_identifier) @name) @type
(type_alias name: (type_identifier) @name) @type
(source_file (const_declaration (const_spec (identifier) @name @constant)))
(source_file (var_declaration (var_spec (identifier) @name @variable)))
(source_file (var_declaration (var_spec_list (var_spec (identifier) @name @variable))))

(comment) @comment
