"""Importing files (R77-R82, N16), in the order in which a file goes through it.

* ``uploading``: the file is taken piece by piece, read in a child process, and staged in blocks of rows
* ``mapping``: its owner says what the columns are
* ``parsing``: rows are read in child processes, where a costly one harms nobody
* ``preparing``: everything is worked out that a block's rows alone decide
* ``checking``: a dry run says of every row what would become of it
* ``committing``: rows are taken in
* ``deciding``: the owner decides about rows that may be somebody's who is there already
* ``keeping``: what screening stopped is kept with a reason
* ``undoing``: an import is taken back
* ``setting_aside``: of whom an undo takes away, a copy is kept while a hold stands on them

Beside these: ``representing`` and ``reading`` (what the owner sees), ``steering`` (what the owner asks for), ``working``
(who works on an import), ``refused_rows`` (rows that are kept for the owner), ``erasing`` (what an erasure takes out of files).
"""
