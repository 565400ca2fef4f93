package clustersender

// DefinitionFrom is Definition with the number that sessions begin with.
var DefinitionFrom = definition
