package console

// auditFlags has nothing to say. A link is followed.
const auditFlags = 0

// modes says that files have no modes. Who may read and write the file is for its access control list to say.
const modes = false
