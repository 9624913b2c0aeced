import { seedSuite } from './seeds.ts';

seedSuite(1, 50);
