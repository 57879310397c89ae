# -*- encoding: utf-8 -*-
# stub: pry 0.14.2 ruby lib

Gem::Specification.new do |s|
  s.name = "pry".freeze
end
