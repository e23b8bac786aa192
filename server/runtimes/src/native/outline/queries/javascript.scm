; What variables hold is listed at the top of a file only.

(class_declaration name: (identifier) @name) @class
(function_declaration name: (identifier) @name) @function
(generator_function_declaration name: (identifier) @name) @function
(method_definition name: (_) @name) @method

(program (lexical_declaration
  (variable_declarator name: (identifier) @name value: [(arrow_function) (function_expression)])) @function)
(program (export_statement (lexical_declaration
  (variable_declarator name: (identifier) @name value: [(arrow_function) (function_expression)])) @function))
(program (export_statement (lexical_declaration
  "const" (variable_declarator name: (identifier) @name)) @constant))

(comment) @comment
(decorator) @attribute
