"""The usual job in one call, from images to a report."""

from fishembed.workflow.usual_job import UsualJob, run_usual_job

__all__ = ["UsualJob", "run_usual_job"]
