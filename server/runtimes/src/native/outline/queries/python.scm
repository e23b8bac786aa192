; Names in capitals at the top of a file are constants, by convention.

(class_definition name: (identifier) @name) @class
(function_definition name: (identifier) @name) @function
(module (expression_statement
  (assignment left: (identifier) @name (#match? @name "^[A-Z][A-Z0-9_]*$"))) @constant)

(function_definition body: (block . (expression_statement (string) @docstring)))
(class_definition body: (block . (expression_statement (string) @docstring)))
(comment) @comment
(decorator) @attribute
