"""Recurrent cells as people write them who follow a course: each file in the shapes of one course.

The functions named as in the course are right. They import nothing of minilstm.
"""
